package wifidirect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Option is an option of Connect.
type Option func(*settings)

type settings struct {
	tls      *tls.Config
	clear    bool
	token    TokenSource
	timeout  time.Duration
	dialling []grpc.DialOption
}

// TokenSource gives the current bearer token; it is asked at each call.
type TokenSource func(ctx context.Context) (string, error)

// WithTLS sets what TLS trusts and shows. Without it or WithClearText, connections to this machine ("localhost",
// "127.x.x.x", "[::1]", "unix:") are in clear text, and those to any other are TLS, trusting what the system trusts.
func WithTLS(config *tls.Config) Option { return func(s *settings) { s.tls, s.clear = config, false } }

// WithClearText goes without TLS, also to another machine: for laboratories.
func WithClearText() Option { return func(s *settings) { s.tls, s.clear = nil, true } }

// WithToken sends this bearer token with each call. Connect refuses it in clear text to another machine.
func WithToken(token string) Option {
	return WithTokenSource(func(context.Context) (string, error) { return token, nil })
}

// WithTokenSource is WithToken for tokens that change.
func WithTokenSource(source TokenSource) Option { return func(s *settings) { s.token = source } }

// WithTimeout bounds unary calls whose context has no deadline; 0: not at all. Default 10 s.
func WithTimeout(timeout time.Duration) Option { return func(s *settings) { s.timeout = timeout } }

// WithDialOptions are handed to grpc.NewClient as they are; they win over what this package sets.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.dialling = append(s.dialling, options...) }
}

// LoadTLS reads PEM files for WithTLS: of the authorities that may have signed the host's certificate (empty: those
// that the system trusts), and, for mTLS, of the client's own certificate with its chain, and its key.
func LoadTLS(caFile, certFile, keyFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("wifidirect: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("wifidirect: %s holds no certificate", caFile)
		}
	}
	if certFile != "" || keyFile != "" {
		own, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("wifidirect: %w", err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return config, nil
}

const timeoutDefault = 10 * time.Second

// A host that vanished without a word is noticed within 30 s: watches have no deadline that would tell.
var alive = keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}

// Calls fail at once while the channel waits to reconnect, so it must not wait longer than a watch does.
var reconnect = grpc.ConnectParams{
	Backoff: backoff.Config{
		BaseDelay: 250 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 10 * time.Second,
	},
	MinConnectTimeout: 10 * time.Second,
}

var thisMachine = regexp.MustCompile(
	`^(unix:|((dns|passthrough):(///)?)?((localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?|::1)$)`)

func dial(address string, options []Option) (*grpc.ClientConn, error) {
	set := settings{timeout: timeoutDefault}
	for _, option := range options {
		option(&set)
	}
	isLocal := thisMachine.MatchString(address)
	isSecure := set.tls != nil || !isLocal && !set.clear
	if set.token != nil && !isSecure && !isLocal {
		// The rule that must not be broken: no credential leaves in clear text, but to this machine itself.
		return nil, errors.New("the token would reach " + address + " in clear text; use TLS")
	}
	dialling := []grpc.DialOption{
		grpc.WithKeepaliveParams(alive),
		grpc.WithConnectParams(reconnect),
		grpc.WithChainUnaryInterceptor(decodeUnary(set.timeout)),
		grpc.WithChainStreamInterceptor(decodeStream),
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
	return grpc.NewClient(address, append(dialling, set.dialling...)...)
}

type bearer struct {
	token    TokenSource
	isSecure bool
}

func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b.token(ctx)
	if err != nil {
		// Whatever gives tokens may be back soon, so a watch is not to give up.
		return nil, status.Error(codes.Unavailable, "the token can't be had: "+err.Error())
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

func (b bearer) RequireTransportSecurity() bool { return b.isSecure }

// within is a call option: how long this call may take where its context has no deadline; 0: as long as it takes.
type within struct {
	grpc.EmptyCallOption
	timeout time.Duration
}

// decodeUnary gives calls their deadline, and their errors as *Error.
func decodeUnary(timeoutDefault time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
		invoke grpc.UnaryInvoker, options ...grpc.CallOption,
	) error {
		timeout := timeoutDefault
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
		return decode(invoke(ctx, method, request, reply, conn, options...))
	}
}

func decodeStream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string,
	stream grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	inner, err := stream(ctx, desc, conn, method, options...)
	if err != nil {
		return nil, decode(err)
	}
	return decodedStream{inner}, nil
}

type decodedStream struct{ grpc.ClientStream }

func (s decodedStream) RecvMsg(message any) error { return decode(s.ClientStream.RecvMsg(message)) }
