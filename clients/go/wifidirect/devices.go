package wifidirect

import (
	"context"
	"iter"
	"time"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// Devices lists and watches the devices of one host. device_service.proto documents each RPC.
type Devices struct {
	client wifidirectv1.DeviceServiceClient
	// Done when the client is closed.
	clientCtx context.Context
}

// List iterates over the paired devices, ordered by address. It requests them page by page, and
// stops after an error.
func (d *Devices) List(ctx context.Context) iter.Seq2[*wifidirectv1.Device, error] {
	return pages(func(token string) ([]*wifidirectv1.Device, string, error) {
		response, err := d.client.ListDevices(ctx, &wifidirectv1.ListDevicesRequest{PageToken: token})
		return response.GetDevices(), response.GetNextPageToken(), err
	})
}

// WatchDevicesOptions select events for Devices.Watch. The zero value selects every device, from
// now.
type WatchDevicesOptions struct {
	// Cursor is a cursor of DeviceService, where to resume. Default: start now, with a snapshot.
	Cursor string
	// DeviceAddresses selects these devices. Default: all devices.
	DeviceAddresses []string
	// BookmarkInterval is how often the host sends a bookmark if there are no events: 1 s to 5 min.
	// Default 10 s.
	BookmarkInterval time.Duration
	Backoff          Backoff
}

// DeviceSnapshot and DeviceChange are items of a watch of devices, as are Bookmark and
// Disconnected.
type (
	DeviceSnapshot = Snapshot[*wifidirectv1.Device]
	DeviceChange   = Change[*wifidirectv1.DeviceEvent]
)

// Watch iterates over what happens to devices. It works like Sessions.Watch, with DeviceSnapshot
// and DeviceChange.
func (d *Devices) Watch(ctx context.Context, options WatchDevicesOptions) iter.Seq2[WatchItem, error] {
	attach := func(ctx context.Context, cursor string) (receiver[*wifidirectv1.WatchDevicesResponse], error) {
		return d.client.WatchDevices(ctx, &wifidirectv1.WatchDevicesRequest{
			Cursor:           cursor,
			DeviceAddresses:  options.DeviceAddresses,
			BookmarkInterval: optional(options.BookmarkInterval),
		})
	}
	return watch(ctx, d.clientCtx, attach, start{options.Cursor, options.BookmarkInterval, options.Backoff})
}

const (
	discoveryTimeoutDefault = 15 * time.Second
	// Added to the discovery for the timeout of the call.
	answerTimeout = 10 * time.Second
)

// UpdateVisibility searches for a paired device by radio. IsVisible of the device in the response
// is the result. The host waits for the discovery for 1 s to 2 min; 0 means 15 s.
func (d *Devices) UpdateVisibility(
	ctx context.Context, deviceAddress string, discoveryTimeout time.Duration,
) (*wifidirectv1.UpdateDeviceVisibilityResponse, error) {
	request := &wifidirectv1.UpdateDeviceVisibilityRequest{
		DeviceAddress: deviceAddress, Timeout: optional(discoveryTimeout),
	}
	if discoveryTimeout == 0 {
		discoveryTimeout = discoveryTimeoutDefault
	}
	response, err := d.client.UpdateDeviceVisibility(ctx, request, within{timeout: discoveryTimeout + answerTimeout})
	if err == nil && response.GetDevice() == nil {
		return nil, incomplete("the device")
	}
	return response, err
}
