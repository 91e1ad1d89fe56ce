package wifidirect

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// scriptedHost is a host whose answers a test gives; what it does not give is UNIMPLEMENTED.
type scriptedHost struct {
	wifidirectv1.UnimplementedSessionServiceServer
	open  func(*wifidirectv1.OpenSessionRequest, grpc.ServerStreamingServer[wifidirectv1.OpenSessionResponse]) error
	close func(context.Context, *wifidirectv1.CloseSessionRequest) (*wifidirectv1.CloseSessionResponse, error)
	get   func(context.Context, *wifidirectv1.GetSessionRequest) (*wifidirectv1.GetSessionResponse, error)
	watch func(grpc.ServerStreamingServer[wifidirectv1.WatchSessionsResponse]) error
	list  func(*wifidirectv1.ListSessionsRequest) (*wifidirectv1.ListSessionsResponse, error)
}

func (h *scriptedHost) OpenSession(
	request *wifidirectv1.OpenSessionRequest, stream grpc.ServerStreamingServer[wifidirectv1.OpenSessionResponse],
) error {
	return h.open(request, stream)
}

func (h *scriptedHost) WatchSessions(
	_ *wifidirectv1.WatchSessionsRequest, stream grpc.ServerStreamingServer[wifidirectv1.WatchSessionsResponse],
) error {
	return h.watch(stream)
}

func (h *scriptedHost) CloseSession(
	ctx context.Context, request *wifidirectv1.CloseSessionRequest,
) (*wifidirectv1.CloseSessionResponse, error) {
	return h.close(ctx, request)
}

func (h *scriptedHost) GetSession(
	ctx context.Context, request *wifidirectv1.GetSessionRequest,
) (*wifidirectv1.GetSessionResponse, error) {
	return h.get(ctx, request)
}

func (h *scriptedHost) ListSessions(
	_ context.Context, request *wifidirectv1.ListSessionsRequest,
) (*wifidirectv1.ListSessionsResponse, error) {
	return h.list(request)
}

// serve starts the host, and answers with its address.
func serve(t *testing.T, host *scriptedHost, options ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(options...)
	wifidirectv1.RegisterSessionServiceServer(server, host)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func connected(t *testing.T, address string, options ...Option) *Client {
	t.Helper()
	client, err := Connect(address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// caller is who a host sees: the token, and the common name of the certificate.
func caller(ctx context.Context) (token, name string) {
	if values := metadata.ValueFromIncomingContext(ctx, "authorization"); len(values) > 0 {
		token = values[0]
	}
	who, _ := peer.FromContext(ctx)
	if info, ok := who.AuthInfo.(credentials.TLSInfo); ok && len(info.State.PeerCertificates) > 0 {
		name = info.State.PeerCertificates[0].Subject.CommonName
	}
	return token, name
}
