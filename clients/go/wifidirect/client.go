// Package wifidirect is the client library of the Wi-Fi Direct Gateway. It opens, closes and
// watches Wi-Fi Direct sessions on Windows hosts.
//
// Streams are iterators. The context of a call bounds it. Every error of a host, or of the
// connection to it, is an *Error. The messages are those of the generated package wifidirectv1,
// whose comments document every field, event and reason.
package wifidirect

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// Client is a client of one host. It connects at the first call, and reconnects when needed. It is
// safe for concurrent use.
type Client struct {
	Sessions *Sessions
	Devices  *Devices
	conn     *grpc.ClientConn
	close    func() error
}

// Connect returns a client of the host at "host:port" or "unix:/path". It does not wait for the
// connection; Client.Host does. It fails with codes.InvalidArgument if the address or an option is
// invalid, for example if a token would be sent in clear text.
func Connect(address string, options ...Option) (*Client, error) {
	clock := &hostClock{}
	conn, err := dial(address, options, clock)
	if err != nil {
		return nil, err
	}
	clientCtx, closeAll := context.WithCancel(context.Background())
	return &Client{
		Sessions: &Sessions{wifidirectv1.NewSessionServiceClient(conn), clientCtx, clock},
		Devices:  &Devices{wifidirectv1.NewDeviceServiceClient(conn), clientCtx},
		conn:     conn,
		close: sync.OnceValue(func() error {
			closeAll()
			return conn.Close()
		}),
	}, nil
}

// Host returns the identity, state, driver and limits of the host.
func (c *Client) Host(ctx context.Context) (*wifidirectv1.GetHostResponse, error) {
	return wifidirectv1.NewHostServiceClient(c.conn).GetHost(ctx, &wifidirectv1.GetHostRequest{})
}

// Health returns the health of the host or, if service is not empty, of one of its services, such
// as "wifidirect.v1.SessionService". Load balancers and probes use the same call. It fails with
// NotFound if the host does not have this service.
func (c *Client) Health(
	ctx context.Context, service string,
) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
	request := &grpc_health_v1.HealthCheckRequest{Service: service}
	response, err := grpc_health_v1.NewHealthClient(c.conn).Check(ctx, request)
	return response.GetStatus(), err
}

// Conn returns the connection, for generated clients. Their errors are also of type *Error.
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// Close closes the connection. All pending calls and iterators fail with codes.Canceled, for which
// errors.Is(err, context.Canceled) is true. Further calls have no effect.
func (c *Client) Close() error { return c.close() }
