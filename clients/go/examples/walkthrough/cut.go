package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
	"github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/wifidirect"
)

// cutWatch watches by a way of its own, which is cut while a session comes and goes.
func cutWatch(ctx context.Context, client *wifidirect.Client, address string, device *wifidirectv1.Device) error {
	way, err := newWay(address)
	if err != nil {
		return err
	}
	defer way.close()
	watcher, err := wifidirect.Connect(way.address())
	if err != nil {
		return err
	}
	defer watcher.Close()

	var last uint64
	missed := ""
	for item, err := range watcher.Sessions.Watch(ctx, wifidirect.WatchOptions{
		Backoff: wifidirect.Backoff{Initial: 50 * time.Millisecond, Max: 200 * time.Millisecond},
	}) {
		if err != nil {
			return err
		}
		switch item := item.(type) {
		case wifidirect.SessionSnapshot:
			tell("snapshot", fmt.Sprintf("%d sessions", len(item.Items)))
			way.cut()
			if missed, err = openAndCloseUnseen(ctx, client, device); err != nil {
				return err
			}
		case wifidirect.Disconnected:
			if missed == "" {
				return item.Err
			}
			tell("disconnected", "again in "+item.RetryIn.Round(time.Millisecond).String())
			way.mend()
		case wifidirect.SessionChange:
			tell(wifidirect.NameOf(item.Event.GetType()), "")
			if last != 0 && item.Event.GetSequence() != last+1 {
				return fmt.Errorf("not as promised: event %d follows %d", item.Event.GetSequence(), last)
			}
			last = item.Event.GetSequence()
			session := item.Event.GetSession()
			if session.GetSessionId() == missed && session.GetState() == wifidirectv1.SessionState_SESSION_STATE_CLOSED {
				return nil
			}
		}
	}
	return errors.New("the watch has ended")
}

func openAndCloseUnseen(ctx context.Context, client *wifidirect.Client, device *wifidirectv1.Device) (string, error) {
	session, err := client.Sessions.Open(ctx, wifidirect.OpenRequest{DeviceAddress: device.GetDeviceAddress()})
	if err != nil {
		return "", err
	}
	defer session.Detach()
	if _, err := session.WaitOpen(); err != nil {
		return "", err
	}
	_, err = session.Close(ctx)
	tell("", "meanwhile, a session came and went")
	return session.ID, err
}

// way is a way to a host that can be cut.
type way struct {
	listener net.Listener
	host     string
	mutex    sync.Mutex
	isCut    bool
	sockets  []net.Conn
}

func newWay(host string) (*way, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	way := &way{listener: listener, host: host}
	go way.accept()
	return way, nil
}

func (w *way) address() string { return w.listener.Addr().String() }

func (w *way) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.host)
		w.mutex.Lock()
		if w.isCut || err != nil {
			near.Close()
			if err == nil {
				far.Close()
			}
		} else {
			w.sockets = append(w.sockets, near, far)
			go pipe(near, far)
			go pipe(far, near)
		}
		w.mutex.Unlock()
	}
}

func pipe(to, from net.Conn) {
	io.Copy(to, from)
	to.Close()
}

func (w *way) cut() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.isCut = true
	for _, socket := range w.sockets {
		socket.Close()
	}
	w.sockets = nil
}

func (w *way) mend() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.isCut = false
}

func (w *way) close() {
	w.listener.Close()
	w.cut()
}
