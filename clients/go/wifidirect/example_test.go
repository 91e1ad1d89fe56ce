package wifidirect_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/wifidirect"
)

// A session is opened, used for as long as the function runs, and closed.
func ExampleSessions_Open() {
	ctx := context.Background()
	client, err := wifidirect.Connect("localhost:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	session, err := client.Sessions.Open(ctx, wifidirect.OpenRequest{DeviceAddress: "02:11:22:33:44:01"})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Detach()
	opened, err := session.WaitOpen()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("open on the interface", opened.GetNetworkInterface().GetGuid())
	if _, err := session.Close(ctx); err != nil {
		log.Fatal(err)
	}
}

// A watch reconnects by itself.
func ExampleSessions_Watch() {
	client, err := wifidirect.Connect("localhost:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for item, err := range client.Sessions.Watch(context.Background(), wifidirect.WatchOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		switch item := item.(type) {
		case wifidirect.SessionSnapshot:
			fmt.Println(len(item.Items), "sessions")
		case wifidirect.SessionChange:
			fmt.Println(item.Event.GetType(), item.Event.GetSession().GetSessionId())
		case wifidirect.Disconnected:
			fmt.Println(item.Err, "again in", item.RetryIn)
		}
	}
}

// Errors carry what Windows said, and how long to wait.
func ExampleError() {
	decide := func(err error) {
		var failure *wifidirect.Error
		switch {
		case !errors.As(err, &failure):
			log.Fatal(err)
		case failure.Reason == wifidirect.ReasonOpenFailed:
			fmt.Println(failure.Native.GetName(), failure.Native.GetReasonText())
		case failure.RetryDelay > 0:
			fmt.Println("try again in", failure.RetryDelay)
		}
	}
	decide(&wifidirect.Error{Reason: wifidirect.ReasonOpenFailed})
}
