// Walkthrough is an example of a remote client. It follows three sessions, and a watch whose
// connection breaks:
//
//	go run ./examples/walkthrough HOST:PORT
//
// It knows only the address of the host. It fails if the host breaks a promise of the API.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc/status"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
	"github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/wifidirect"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "Usage: walkthrough HOST:PORT")
		os.Exit(64)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := walk(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "\nThe walk ended early:", err)
		os.Exit(1)
	}
	fmt.Println("\nok")
}

func walk(ctx context.Context, address string) error {
	client, err := wifidirect.Connect(address)
	if err != nil {
		return err
	}
	defer client.Close()
	near, far, err := introduce(ctx, client)
	if err != nil {
		return err
	}
	chapter(1, "A session to %s opens, and is closed", near.GetName())
	if err := openAndClose(ctx, client, near); err != nil {
		return err
	}
	chapter(2, "A session to %s, which is out of range, fails", far.GetName())
	if err := fail(ctx, client, far); err != nil {
		return err
	}
	chapter(3, "A session to %s is cancelled while it opens", near.GetName())
	if err := cancelOpen(ctx, client, near); err != nil {
		return err
	}
	chapter(4, "A watch is cut off, misses a session, and resumes")
	return cutWatch(ctx, client, address, near)
}

// introduce lists the devices, and picks one that is in range and one that is not.
func introduce(ctx context.Context, client *wifidirect.Client) (near, far *wifidirectv1.Device, err error) {
	host, err := client.Host(ctx)
	if err != nil {
		return nil, nil, err
	}
	fmt.Printf("The host is %s, its driver %s. Its paired devices:\n", host.GetHostname(), wifidirect.NameOf(host.GetDriver().GetKind()))
	for device, err := range client.Devices.List(ctx) {
		if err != nil {
			return nil, nil, err
		}
		fmt.Printf("  %s  %s\n", device.GetDeviceAddress(), device.GetName())
		switch {
		case near == nil && device.GetIsVisible() && !device.GetIsLegacy():
			near = device
		case far == nil && device.IsVisible != nil && !device.GetIsVisible():
			far = device
		}
	}
	if near == nil || far == nil {
		return nil, nil, errors.New("the host lacks the devices that this walk needs")
	}
	return near, far, nil
}

func openAndClose(ctx context.Context, client *wifidirect.Client, device *wifidirectv1.Device) error {
	session, err := client.Sessions.Open(ctx, wifidirect.OpenRequest{DeviceAddress: device.GetDeviceAddress()})
	if err != nil {
		return err
	}
	defer session.Detach()
	opened, err := session.WaitOpen()
	if err != nil {
		return err
	}
	tell("OPEN", "interface "+opened.GetNetworkInterface().GetGuid())
	closed, err := session.Close(ctx)
	if err != nil {
		return err
	}
	for event, err := range session.Events() {
		if err != nil {
			return err
		}
		tell(wifidirect.NameOf(event.GetType()), "")
	}
	evidence := closed.GetEnd().GetEvidence()
	tell("", "evidence "+wifidirect.NameOf(evidence))
	return expect(closed.GetState() == wifidirectv1.SessionState_SESSION_STATE_CLOSED &&
		evidence != wifidirectv1.DisconnectEvidence_DISCONNECT_EVIDENCE_UNCONFIRMED, "the end of the connection was seen")
}

func fail(ctx context.Context, client *wifidirect.Client, device *wifidirectv1.Device) error {
	session, err := client.Sessions.Open(ctx, wifidirect.OpenRequest{DeviceAddress: device.GetDeviceAddress()})
	if err != nil {
		return err
	}
	defer session.Detach()
	var end error
	for event, err := range session.Events() {
		if end = err; err == nil {
			tell(wifidirect.NameOf(event.GetType()), "")
		}
	}
	var failure *wifidirect.Error
	if !errors.As(end, &failure) || failure.Native == nil {
		return fmt.Errorf("not as promised: the failure has a native code, but it is %w", end)
	}
	tell("", fmt.Sprintf("%s, %s", status.Code(end), failure.Reason))
	tell("", fmt.Sprintf("%s: %d %s", failure.Native.GetFunction(), failure.Native.GetCode(), failure.Native.GetName()))
	tell("", fmt.Sprintf("reason %d: %s", failure.Native.GetReasonCode(), failure.Native.GetReasonText()))
	return expect(failure.Reason == wifidirect.ReasonOpenFailed, "the reason is OPEN_FAILED")
}

func cancelOpen(ctx context.Context, client *wifidirect.Client, device *wifidirectv1.Device) error {
	session, err := client.Sessions.Open(ctx, wifidirect.OpenRequest{DeviceAddress: device.GetDeviceAddress()})
	if err != nil {
		return err
	}
	defer session.Detach()
	if _, err := client.Sessions.Cancel(ctx, session.ID); err != nil {
		return err
	}
	var last wifidirectv1.SessionState
	for event, err := range session.Events() {
		if err != nil {
			return err
		}
		last = event.GetSession().GetState()
		tell(wifidirect.NameOf(event.GetType()), "")
	}
	return expect(last == wifidirectv1.SessionState_SESSION_STATE_CANCELLED, "a cancelled session ends CANCELLED")
}

var started time.Time

func chapter(number int, title string, about ...any) {
	fmt.Printf("\n%d. %s\n", number, fmt.Sprintf(title, about...))
	started = time.Now()
}

func tell(label, text string) {
	line := fmt.Sprintf("   +%.3f s  %-12s %s", time.Since(started).Seconds(), label, text)
	fmt.Println(strings.TrimRight(line, " "))
}

func expect(isSo bool, what string) error {
	if isSo {
		return nil
	}
	return errors.New("not as promised: " + what)
}
