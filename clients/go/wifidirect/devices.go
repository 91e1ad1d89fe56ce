package wifidirect

import (
	"context"
	"iter"
	"time"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// Devices tells which devices can be connected to, and whether they are in reach. See device_service.proto.
type Devices struct {
	client wifidirectv1.DeviceServiceClient
	// Done when the client is closed.
	isOpen context.Context
}

// List goes through the paired devices, by address, and asks for them page by page. It ends after an error.
func (d *Devices) List(ctx context.Context) iter.Seq2[*wifidirectv1.Device, error] {
	return pages(func(token string) ([]*wifidirectv1.Device, string, error) {
		response, err := d.client.ListDevices(ctx, &wifidirectv1.ListDevicesRequest{PageToken: token})
		return response.GetDevices(), response.GetNextPageToken(), err
	})
}

// WatchDevicesOptions choose what Devices.Watch shows; the zero value is every device, from now.
type WatchDevicesOptions struct {
	// Cursor of DeviceService: resume after it. Default: from now, after a snapshot.
	Cursor string
	// DeviceAddresses: only these. Default: all.
	DeviceAddresses []string
	// BookmarkInterval is how long a silence lasts before a bookmark comes: 1 s to 5 min. Default 10 s.
	BookmarkInterval time.Duration
	Backoff          Backoff
}

// Items of a watch of devices, beside Bookmark and Disconnected.
type (
	DeviceSnapshot = Snapshot[*wifidirectv1.Device]
	DeviceChange   = Change[*wifidirectv1.DeviceEvent]
)

// Watch follows the devices, with DeviceSnapshot and DeviceChange, in the way of Sessions.Watch.
func (d *Devices) Watch(ctx context.Context, options WatchDevicesOptions) iter.Seq2[WatchItem, error] {
	attach := func(ctx context.Context, cursor string) (receiver[*wifidirectv1.WatchDevicesResponse], error) {
		return d.client.WatchDevices(ctx, &wifidirectv1.WatchDevicesRequest{
			Cursor:           cursor,
			DeviceAddresses:  options.DeviceAddresses,
			BookmarkInterval: optional(options.BookmarkInterval),
		})
	}
	return watch(ctx, d.isOpen, attach, start{options.Cursor, options.BookmarkInterval, options.Backoff})
}

const (
	discoveryTimeoutDefault = 15 * time.Second
	// What the answer may take beyond the discovery.
	answerTimeout = 10 * time.Second
)

// UpdateVisibility looks for a paired device by radio: the IsVisible of the answer's device is what was found. The host
// waits for the discovery for 1 s to 2 min; 0: 15 s.
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
