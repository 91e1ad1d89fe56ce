// Package wifidirect is the client library of the Wi-Fi Direct Gateway: the Wi-Fi Direct sessions and devices of
// Windows hosts for programs anywhere.
//
// Streams are iterators, the context of a call bounds it, and every error that a host or the way to it is the cause of
// is an *Error. The messages are those of the generated package wifidirectv1, whose comments are the manual of every
// field, event and reason.
package wifidirect

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// Client is one host. It is cheap to keep, and safe for use by several goroutines: it connects when it is first used,
// and again when it has to.
type Client struct {
	Sessions *Sessions
	Devices  *Devices
	conn     *grpc.ClientConn
	close    func() error
}

// Connect makes a client of the host at "host:port", or "unix:/path". It does not wait for the connection; Client.Host
// does. It fails only where address or options can't be right, such as a token in clear text: codes.InvalidArgument.
func Connect(address string, options ...Option) (*Client, error) {
	clock := &hostClock{}
	conn, err := dial(address, options, clock)
	if err != nil {
		return nil, err
	}
	isOpen, closeAll := context.WithCancel(context.Background())
	return &Client{
		Sessions: &Sessions{wifidirectv1.NewSessionServiceClient(conn), isOpen, clock},
		Devices:  &Devices{wifidirectv1.NewDeviceServiceClient(conn), isOpen},
		conn:     conn,
		close: sync.OnceValue(func() error {
			closeAll()
			return conn.Close()
		}),
	}, nil
}

// Host tells which host this is, whether it can do its work, on what it runs, and its limits.
func (c *Client) Host(ctx context.Context) (*wifidirectv1.GetHostResponse, error) {
	return wifidirectv1.NewHostServiceClient(c.conn).GetHost(ctx, &wifidirectv1.GetHostRequest{})
}

// Health is what the host tells load balancers and probes, of itself (service is empty) or of one of its services
// ("wifidirect.v1.SessionService"). NotFound for a service that it doesn't know.
func (c *Client) Health(
	ctx context.Context, service string,
) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
	request := &grpc_health_v1.HealthCheckRequest{Service: service}
	response, err := grpc_health_v1.NewHealthClient(c.conn).Check(ctx, request)
	return response.GetStatus(), err
}

// Conn is the connection itself, for generated clients; they too fail with *Error.
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// Close ends every call and iterator with codes.Canceled, which errors.Is tells as context.Canceled, and the connection.
// Harmless to repeat.
func (c *Client) Close() error { return c.close() }
