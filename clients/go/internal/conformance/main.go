// Conformance runs commands, which are lines of JSON on standard input, with the library. The tests
// of all clients use it; test/conformance/protocol.ts documents the commands.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/wifidirect"
)

type command struct {
	ID                  int
	Do                  string
	Address             string
	CAFile              string
	CertFile            string
	KeyFile             string
	Token               *string
	TokenFails          bool
	TimeoutMs           *int64
	ConnectTimeoutMs    *int64
	Metadata            map[string]string
	DeviceAddress       string
	SessionID           string
	SessionIDs          []string
	RequestID           string
	OpenTimeoutMs       int64
	LeaseTTLMs          int64
	HeartbeatIntervalMs *int64
	BookmarkIntervalMs  int64
	BackoffInitialMs    *int64
	BackoffMaxMs        *int64
	Cursor              string
	Wait                bool
	Command             int
}

type agent struct {
	client *wifidirect.Client
	mutex  sync.Mutex
	output *json.Encoder
	leave  map[int]context.CancelFunc
}

func main() {
	agent := &agent{output: json.NewEncoder(os.Stdout), leave: map[int]context.CancelFunc{}}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var command command
		if err := json.Unmarshal(lines.Bytes(), &command); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		agent.begin(command)
	}
}

func (a *agent) begin(command command) {
	ctx, leave := context.WithCancel(context.Background())
	switch command.Do {
	case "connect":
		a.end(command, a.connect(command))
	case "leave":
		a.mutex.Lock()
		if leave := a.leave[command.Command]; leave != nil {
			leave()
		}
		a.mutex.Unlock()
		a.end(command, nil)
	default:
		a.mutex.Lock()
		a.leave[command.ID] = leave
		a.mutex.Unlock()
		go func(client *wifidirect.Client) {
			defer leave()
			var end error
			for item, err := range carryOut(ctx, client, command) {
				if end = err; err == nil {
					a.write(object{"id": command.ID, "item": item})
				}
			}
			a.end(command, end)
		}(a.client)
		return
	}
	leave()
}

func (a *agent) connect(command command) error {
	options, err := connectOptions(command)
	if err != nil {
		return err
	}
	client, err := wifidirect.Connect(command.Address, options...)
	if err != nil {
		return err
	}
	if a.client != nil {
		_ = a.client.Close()
	}
	a.client = client
	return nil
}

func connectOptions(command command) ([]wifidirect.Option, error) {
	options := []wifidirect.Option{}
	if command.CAFile != "" {
		config, err := wifidirect.LoadTLS(command.CAFile, command.CertFile, command.KeyFile)
		if err != nil {
			return nil, err
		}
		options = append(options, wifidirect.WithTLS(config))
	}
	if command.Token != nil {
		options = append(options, wifidirect.WithToken(*command.Token))
	}
	if command.TokenFails {
		options = append(options, wifidirect.WithTokenSource(func(context.Context) (string, error) {
			return "", errors.New("the vault is sealed")
		}))
	}
	if command.TimeoutMs != nil {
		options = append(options, wifidirect.WithTimeout(milliseconds(*command.TimeoutMs)))
	}
	if command.ConnectTimeoutMs != nil {
		options = append(options, wifidirect.WithConnectTimeout(milliseconds(*command.ConnectTimeoutMs)))
	}
	if command.Metadata != nil {
		options = append(options, wifidirect.WithMetadata(func(context.Context) (map[string]string, error) {
			return command.Metadata, nil
		}))
	}
	return options, nil
}

func (a *agent) end(command command, err error) {
	end := object{}
	if err != nil {
		end["error"] = errorItem(err)
	}
	a.write(object{"id": command.ID, "end": end})
}

func (a *agent) write(line object) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	_ = a.output.Encode(line)
}

func carryOut(ctx context.Context, client *wifidirect.Client, c command) iter.Seq2[object, error] {
	switch c.Do {
	case "open":
		return open(ctx, client, c)
	case "watch":
		return mapped(watchItem)(client.Sessions.Watch(ctx, wifidirect.WatchOptions{
			Cursor:           c.Cursor,
			SessionIDs:       c.SessionIDs,
			BookmarkInterval: milliseconds(c.BookmarkIntervalMs),
			Backoff: wifidirect.Backoff{
				Initial: milliseconds(orElse(c.BackoffInitialMs, 20)), Max: milliseconds(orElse(c.BackoffMaxMs, 100)),
			},
		}))
	case "get":
		return one(sessionAt)(client.Sessions.Get(ctx, c.SessionID))
	case "cancel":
		return one(sessionAt)(client.Sessions.Cancel(ctx, c.SessionID))
	case "close":
		if c.Wait {
			return one(sessionAt)(client.Sessions.CloseAndWait(ctx, c.SessionID))
		}
		return one(sessionAt)(client.Sessions.Close(ctx, c.SessionID))
	case "renew":
		return one(sessionAt)(client.Sessions.Renew(ctx, c.SessionID, milliseconds(c.LeaseTTLMs)))
	case "sessions":
		return mapped(sessionOnly)(client.Sessions.List(ctx, wifidirect.ListOptions{}))
	case "devices":
		return mapped(deviceItem)(client.Devices.List(ctx))
	case "find":
		return one(visibilityItem)(client.Devices.UpdateVisibility(ctx, c.DeviceAddress, 0))
	case "host":
		return host(ctx, client)
	default:
		return failed(fmt.Errorf("there is no %q", c.Do))
	}
}

func open(ctx context.Context, client *wifidirect.Client, c command) iter.Seq2[object, error] {
	heartbeat := milliseconds(orElse(c.HeartbeatIntervalMs, 0))
	if c.HeartbeatIntervalMs != nil && heartbeat == 0 {
		heartbeat = -1 // What 0 says in JSON.
	}
	session, err := client.Sessions.Open(ctx, wifidirect.OpenRequest{
		DeviceAddress:     c.DeviceAddress,
		SessionID:         c.SessionID,
		RequestID:         c.RequestID,
		OpenTimeout:       milliseconds(c.OpenTimeoutMs),
		LeaseTTL:          milliseconds(c.LeaseTTLMs),
		HeartbeatInterval: heartbeat,
	})
	if err != nil {
		return failed(err)
	}
	return mapped(eventOnly)(session.Events())
}

func host(ctx context.Context, client *wifidirect.Client) iter.Seq2[object, error] {
	host, err := client.Host(ctx)
	if err != nil {
		return failed(err)
	}
	health, err := client.Health(ctx, "")
	return one(func(host any) object { return object{"host": host, "health": health.String()} })(hostItem(host), err)
}

func orElse(given *int64, otherwise int64) int64 {
	if given == nil {
		return otherwise
	}
	return *given
}

func milliseconds(count int64) time.Duration { return time.Duration(count) * time.Millisecond }

func failed(err error) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) { yield(nil, err) }
}

func one[Thing any](toItem func(Thing) object) func(Thing, error) iter.Seq2[object, error] {
	return func(thing Thing, err error) iter.Seq2[object, error] {
		if err != nil {
			return failed(err)
		}
		return func(yield func(object, error) bool) { yield(toItem(thing), nil) }
	}
}

func mapped[Thing any](toItem func(Thing) object) func(iter.Seq2[Thing, error]) iter.Seq2[object, error] {
	return func(things iter.Seq2[Thing, error]) iter.Seq2[object, error] {
		return func(yield func(object, error) bool) {
			for thing, err := range things {
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield(toItem(thing), nil) {
					return
				}
			}
		}
	}
}
