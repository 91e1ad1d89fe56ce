package wifidirect

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	timeoutDefault        = 10 * time.Second
	connectTimeoutDefault = 10 * time.Second
)

// A host that vanished without a word is noticed within 30 s: streams have no deadline that would tell.
var alive = keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}

// reconnect: calls fail at once while the channel waits to reconnect, so it must not wait longer than a watch does.
func reconnect(connectTimeout time.Duration) grpc.ConnectParams {
	// gRPC lets an attempt take as long as the pause that would follow it, lengthened by the jitter, if that is longer than
	// the timeout. With so much less it never is.
	const jitter, share = 0.2, 0.8
	longest := time.Duration(share * float64(min(connectTimeout, 10*time.Second)))
	return grpc.ConnectParams{
		Backoff: backoff.Config{
			BaseDelay: min(250*time.Millisecond, longest), Multiplier: 1.6, Jitter: jitter, MaxDelay: longest,
		},
		MinConnectTimeout: connectTimeout,
	}
}

var thisMachine = regexp.MustCompile(
	`^(unix:|((dns|passthrough):(///)?)?((localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?|::1)$)`)

// dial makes the connection; the clock is set by what comes through it.
func dial(address string, options []Option, clock *hostClock) (*grpc.ClientConn, error) {
	set := settings{timeout: timeoutDefault, connectTimeout: connectTimeoutDefault}
	set.refuse(checkAddress(address))
	for _, option := range options {
		option(&set)
	}
	isLocal := thisMachine.MatchString(address)
	isSecure := set.tls != nil || !isLocal && !set.clear
	if set.token != nil && !isSecure && !isLocal {
		// The rule that must not be broken: no credential leaves in clear text, but to this machine itself.
		set.refuse(invalid("token", "would reach %s in clear text; use TLS", address))
	}
	if set.err != nil {
		return nil, set.err
	}
	calls := calls{set, clock}
	dialling := []grpc.DialOption{
		grpc.WithKeepaliveParams(alive),
		grpc.WithConnectParams(reconnect(set.connectTimeout)),
		grpc.WithChainUnaryInterceptor(calls.unary),
		grpc.WithChainStreamInterceptor(calls.stream),
	}
	if isLocal {
		dialling = append(dialling, grpc.WithNoProxy())
	}
	if isSecure {
		dialling = append(dialling, grpc.WithTransportCredentials(credentials.NewTLS(set.tls)))
	} else {
		dialling = append(dialling, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	if set.token != nil {
		dialling = append(dialling, grpc.WithPerRPCCredentials(bearer{set.token, isSecure}))
	}
	conn, err := grpc.NewClient(address, append(dialling, set.dialling...)...)
	if err != nil {
		return nil, invalid("address", "%q: %v", address, err)
	}
	return conn, nil
}

type bearer struct {
	token    TokenSource
	isSecure bool
}

func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b.token(ctx)
	if err == nil {
		if wrong := checkToken(token); wrong != nil {
			err = wrong
		}
	}
	if err != nil {
		return nil, notHad("token", err)
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// notHad is what a call fails with; whatever gives tokens may be back soon, so a watch is not to give up.
func notHad(what string, err error) error {
	return status.Error(codes.Unavailable, fmt.Sprintf("the %s can't be had: %v", what, err))
}

func (b bearer) RequireTransportSecurity() bool { return b.isSecure }

// within is a call option: how long this call may take where its context has no deadline; 0: as long as it takes.
type within struct {
	grpc.EmptyCallOption
	timeout time.Duration
}

// calls is what is done to every call: its metadata and deadline go in, its errors come out as *Error, and the clock is set.
type calls struct {
	settings
	clock *hostClock
}

func (c calls) unary(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	timeout := c.timeout
	for _, option := range options {
		if own, is := option.(within); is {
			timeout = own.timeout
		}
	}
	if _, has := ctx.Deadline(); !has && timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	ctx, err := c.withMetadata(ctx)
	if err == nil {
		err = invoke(ctx, method, request, reply, conn, options...)
	}
	if err != nil {
		return c.decode(err)
	}
	c.clock.hear(reply)
	return nil
}

func (c calls) stream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string,
	streamer grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	ctx, err := c.withMetadata(ctx)
	if err != nil {
		return nil, c.decode(err)
	}
	inner, err := streamer(ctx, desc, conn, method, options...)
	if err != nil {
		return nil, c.decode(err)
	}
	return decodedStream{inner, c}, nil
}

// decode adds the cause to what gRPC says of an attempt to connect, where its words hide it.
func (c calls) decode(err error) error {
	err = decode(err)
	if failure, is := err.(*Error); is && failure.Code == codes.Unavailable && strings.Contains(failure.Message, "connection error") {
		for _, sign := range []string{"context deadline exceeded", "i/o timeout", "error reading server preface"} {
			if strings.Contains(failure.Message, sign) {
				failure.Message = fmt.Sprintf("no answer within %v, or the connection was cut (%s)", c.connectTimeout, failure.Message)
				break
			}
		}
	}
	return err
}

func (c calls) withMetadata(ctx context.Context) (context.Context, error) {
	if c.metadata == nil {
		return ctx, nil
	}
	pairs, err := c.metadata(ctx)
	if err != nil {
		return nil, notHad("metadata", err)
	}
	for name, value := range pairs {
		if wrong := checkHeader(name, value); wrong != nil {
			return nil, notHad("metadata", wrong)
		}
		ctx = metadata.AppendToOutgoingContext(ctx, name, value)
	}
	return ctx, nil
}

type decodedStream struct {
	grpc.ClientStream
	calls calls
}

func (s decodedStream) RecvMsg(message any) error {
	if err := s.ClientStream.RecvMsg(message); err != nil {
		return s.calls.decode(err)
	}
	s.calls.clock.hear(message)
	return nil
}
