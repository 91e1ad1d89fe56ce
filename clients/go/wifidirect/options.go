package wifidirect

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// Option is an option of Connect.
type Option func(*settings)

type settings struct {
	tls            *tls.Config
	clear          bool
	token          TokenSource
	metadata       MetadataHook
	timeout        time.Duration
	connectTimeout time.Duration
	dialOpts       []grpc.DialOption
	// The first invalid option.
	err *Error
}

// TokenSource returns the current bearer token. It is called for each call.
type TokenSource func(ctx context.Context) (string, error)

// MetadataHook returns metadata to send with a call, such as "traceparent". It is called once for
// each call, with the context of the call.
type MetadataHook func(ctx context.Context) (map[string]string, error)

// WithTLS sets the TLS configuration. Without WithTLS and WithClearText, connections to this
// machine ("localhost", "127.x.x.x", "[::1]", "unix:") use clear text, and connections to other
// machines use TLS with the CAs of the system.
func WithTLS(config *tls.Config) Option { return func(s *settings) { s.tls, s.clear = config, false } }

// WithClearText turns TLS off, even to other machines. Use it only in a test network.
func WithClearText() Option { return func(s *settings) { s.tls, s.clear = nil, true } }

// WithToken sends this bearer token with each call. Connect fails if it would be sent in clear text
// to another machine.
func WithToken(token string) Option {
	return func(s *settings) {
		s.refuse(checkToken(token))
		s.token = func(context.Context) (string, error) { return token, nil }
	}
}

// WithTokenSource is like WithToken, for tokens that change.
func WithTokenSource(source TokenSource) Option { return func(s *settings) { s.token = source } }

// WithMetadata sends the metadata of the hook with each call.
func WithMetadata(hook MetadataHook) Option { return func(s *settings) { s.metadata = hook } }

// WithTimeout sets the timeout of unary calls whose context has no deadline. Default 10 s.
// math.MaxInt64 means none.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) {
		s.refuse(checkDuration("timeout", timeout, 1))
		s.timeout = timeout
	}
}

// WithConnectTimeout sets the timeout of one attempt to connect: TCP, TLS and the first frame of
// HTTP/2 together. At least 1 ms. Default 10 s.
func WithConnectTimeout(timeout time.Duration) Option {
	return func(s *settings) {
		s.refuse(checkDuration("connect timeout", timeout, time.Millisecond))
		s.connectTimeout = timeout
	}
}

// WithDialOptions passes options to grpc.NewClient. They override the options that this package
// sets.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.dialOpts = append(s.dialOpts, options...) }
}

func (s *settings) refuse(err *Error) {
	if s.err == nil {
		s.err = err
	}
}

// invalid returns the error for an invalid option.
func invalid(option, format string, arguments ...any) *Error {
	return &Error{Code: codes.InvalidArgument, Message: option + " " + fmt.Sprintf(format, arguments...)}
}

func checkDuration(option string, duration, least time.Duration) *Error {
	switch {
	case duration >= least:
		return nil
	case least > 1:
		return invalid(option, "is %v; it must be at least %v", duration, least)
	default:
		return invalid(option, "is %v; it must be more than 0", duration)
	}
}

// The characters that gRPC allows in the value and in the name of a header.
var (
	unsendable = regexp.MustCompile(`[^\x20-\x7e]`)
	headerName = regexp.MustCompile(`^[0-9a-z_.-]+$`)
)

// checkToken returns an error without the token in it, because the token is secret.
func checkToken(token string) *Error {
	if strings.Trim(token, " ") == "" {
		return invalid("token", "is empty")
	}
	if at := unsendable.FindStringIndex(token); at != nil {
		return invalid("token", "contains the character %q at position %d, which is not allowed in a header; was it read from a file?",
			[]rune(token[at[0]:])[0], at[0]+1)
	}
	return nil
}

func checkHeader(name, value string) *Error {
	switch {
	case !headerName.MatchString(name) || strings.HasPrefix(name, "grpc-"):
		return invalid("metadata", "has %q, which is not a valid name of a header; use lower case, digits, _ . and -, and no grpc- prefix", name)
	case name == "authorization":
		return invalid("metadata", "has authorization; use WithToken for it")
	case unsendable.MatchString(value):
		return invalid("metadata", "has a character in the value of %q that is not allowed in a header", name)
	}
	return nil
}

// The schemes of gRPC that are followed by "host:port", and those that are followed by something
// else.
var (
	schemesOfHosts = []string{"dns", "passthrough"}
	schemesOfPaths = []string{"unix", "unix-abstract", "vsock", "xds"}
	endpoint       = regexp.MustCompile(`^(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^:\[\]]+)(?::([^:]*))?$`)
)

const portMax = 65535

// checkAddress returns an error for an invalid address, so that it is reported before a name
// lookup.
func checkAddress(address string) *Error {
	const wanted = "give host:port, such as host-7.example:50051"
	if strings.TrimSpace(address) == "" {
		return invalid("address", "is empty; %s", wanted)
	}
	if strings.ContainsAny(address, " \t\r\n") {
		return invalid("address", "%q contains white space; %s", address, wanted)
	}
	scheme, rest, hasScheme := strings.Cut(address, ":")
	switch {
	case hasScheme && slices.Contains(schemesOfPaths, strings.ToLower(scheme)):
		return nil
	case hasScheme && slices.Contains(schemesOfHosts, strings.ToLower(scheme)):
		// dns://authority/host:port
		rest = rest[strings.LastIndex(rest, "/")+1:]
	case strings.HasPrefix(rest, "//"):
		return invalid("address", "%q starts with %s://; %s. The options select TLS", address, scheme, wanted)
	default:
		rest = address
	}
	if strings.Contains(rest, "/") {
		return invalid("address", "%q has a path; %s", address, wanted)
	}
	if _, err := netip.ParseAddr(rest); err == nil {
		// An IPv6 address without brackets has no port.
		return nil
	}
	found := endpoint.FindStringSubmatchIndex(rest)
	if found == nil {
		return invalid("address", "%q is not the address of a host; %s", address, wanted)
	}
	if found[2] < 0 {
		return nil
	}
	text := rest[found[2]:found[3]]
	if port, err := strconv.ParseUint(text, 10, 32); err != nil || port == 0 || port > portMax {
		return invalid("address", "%q ends with %q, which is not a port from 1 to %d", address, text, portMax)
	}
	return nil
}
