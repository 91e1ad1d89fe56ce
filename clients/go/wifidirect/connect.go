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

// keepaliveParams detect a host that disappeared within 30 s. Streams need this because they have
// no deadline.
var keepaliveParams = keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}

// connectParams bounds attempts to connect and the pauses between them. Calls fail at once while
// the channel waits to reconnect, so it must not wait longer than a watch does.
func connectParams(connectTimeout time.Duration) grpc.ConnectParams {
	// If the next pause, with its jitter, is longer than the timeout, gRPC uses that pause as the
	// timeout. This maximum keeps every pause shorter.
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

// dial returns a connection to the address. Messages on it set the clock.
func dial(address string, options []Option, clock *hostClock) (*grpc.ClientConn, error) {
	cfg := settings{timeout: timeoutDefault, connectTimeout: connectTimeoutDefault}
	cfg.refuse(checkAddress(address))
	for _, option := range options {
		option(&cfg)
	}
	isLocal := thisMachine.MatchString(address)
	isSecure := cfg.tls != nil || !isLocal && !cfg.clear
	if cfg.token != nil && !isSecure && !isLocal {
		// Invariant: credentials are never sent in clear text, except to this machine.
		cfg.refuse(invalid("token", "would be sent to %s in clear text; use TLS", address))
	}
	if cfg.err != nil {
		return nil, cfg.err
	}
	calls := calls{cfg, clock}
	dialOpts := []grpc.DialOption{
		grpc.WithKeepaliveParams(keepaliveParams),
		grpc.WithConnectParams(connectParams(cfg.connectTimeout)),
		grpc.WithChainUnaryInterceptor(calls.unary),
		grpc.WithChainStreamInterceptor(calls.stream),
	}
	if isLocal {
		dialOpts = append(dialOpts, grpc.WithNoProxy())
	}
	if isSecure {
		dialOpts = append(dialOpts, grpc.WithTransportCredentials(credentials.NewTLS(cfg.tls)))
	} else {
		dialOpts = append(dialOpts, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	if cfg.token != nil {
		dialOpts = append(dialOpts, grpc.WithPerRPCCredentials(bearer{cfg.token, isSecure}))
	}
	conn, err := grpc.NewClient(address, append(dialOpts, cfg.dialOpts...)...)
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
		if invalid := checkToken(token); invalid != nil {
			err = invalid
		}
	}
	if err != nil {
		return nil, unavailable("token", err)
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// unavailable is the error of a call whose token or metadata failed. Its code is Unavailable, so
// that a watch retries: the source may work again soon.
func unavailable(what string, err error) error {
	return status.Error(codes.Unavailable, fmt.Sprintf("can't get the %s: %v", what, err))
}

func (b bearer) RequireTransportSecurity() bool { return b.isSecure }

// within is a call option: the timeout of this call if its context has no deadline. 0 means no
// timeout.
type within struct {
	grpc.EmptyCallOption
	timeout time.Duration
}

// calls intercepts every call. It adds metadata and a deadline, decodes errors to *Error, and sets
// the clock.
type calls struct {
	settings
	clock *hostClock
}

func (c calls) unary(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	timeout := c.timeout
	for _, option := range options {
		if own, ok := option.(within); ok {
			timeout = own.timeout
		}
	}
	if _, ok := ctx.Deadline(); !ok && timeout > 0 {
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
	c.clock.observe(reply)
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

// decode decodes the error. For a connect that timed out it adds the cause, which gRPC's message
// hides.
func (c calls) decode(err error) error {
	err = decode(err)
	if failure, ok := err.(*Error); ok && failure.Code == codes.Unavailable && strings.Contains(failure.Message, "connection error") {
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
		return nil, unavailable("metadata", err)
	}
	for name, value := range pairs {
		if invalid := checkHeader(name, value); invalid != nil {
			return nil, unavailable("metadata", invalid)
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
	s.calls.clock.observe(message)
	return nil
}
