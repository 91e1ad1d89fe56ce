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
	dialling       []grpc.DialOption
	// The first option that can't be right.
	err *Error
}

// TokenSource gives the current bearer token; it is asked at each call.
type TokenSource func(ctx context.Context) (string, error)

// MetadataHook gives names and values that go with a call, such as "traceparent"; it is asked once for each call, with
// the context of the call.
type MetadataHook func(ctx context.Context) (map[string]string, error)

// WithTLS sets what TLS trusts and shows. Without it or WithClearText, connections to this machine ("localhost",
// "127.x.x.x", "[::1]", "unix:") are in clear text, and those to any other are TLS, trusting what the system trusts.
func WithTLS(config *tls.Config) Option { return func(s *settings) { s.tls, s.clear = config, false } }

// WithClearText goes without TLS, also to another machine: for laboratories.
func WithClearText() Option { return func(s *settings) { s.tls, s.clear = nil, true } }

// WithToken sends this bearer token with each call. Connect refuses it in clear text to another machine.
func WithToken(token string) Option {
	return func(s *settings) {
		s.refuse(checkToken(token))
		s.token = func(context.Context) (string, error) { return token, nil }
	}
}

// WithTokenSource is WithToken for tokens that change.
func WithTokenSource(source TokenSource) Option { return func(s *settings) { s.token = source } }

// WithMetadata sends what the hook gives with each call.
func WithMetadata(hook MetadataHook) Option { return func(s *settings) { s.metadata = hook } }

// WithTimeout bounds unary calls whose context has no deadline. Default 10 s; math.MaxInt64: not at all.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) {
		s.refuse(checkDuration("timeout", timeout, 1))
		s.timeout = timeout
	}
}

// WithConnectTimeout bounds an attempt to connect, with TCP, TLS and the first frame of HTTP/2: 1 ms or more. Default
// 10 s.
func WithConnectTimeout(timeout time.Duration) Option {
	return func(s *settings) {
		s.refuse(checkDuration("connect timeout", timeout, time.Millisecond))
		s.connectTimeout = timeout
	}
}

// WithDialOptions are handed to grpc.NewClient as they are; they win over what this package sets.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.dialling = append(s.dialling, options...) }
}

func (s *settings) refuse(err *Error) {
	if s.err == nil {
		s.err = err
	}
}

// invalid is what an option that can't be right is refused with.
func invalid(option, format string, arguments ...any) *Error {
	return &Error{Code: codes.InvalidArgument, Message: option + " " + fmt.Sprintf(format, arguments...)}
}

func checkDuration(option string, duration, least time.Duration) *Error {
	switch {
	case duration >= least:
		return nil
	case least > 1:
		return invalid(option, "is %v; it has to be %v or more", duration, least)
	default:
		return invalid(option, "is %v; it has to be more than 0", duration)
	}
}

// What HTTP/2 and gRPC let through as the value of a header, and as its name.
var (
	unsendable = regexp.MustCompile(`[^\x20-\x7e]`)
	headerName = regexp.MustCompile(`^[0-9a-z_.-]+$`)
)

// checkToken does not tell the token: it is a secret.
func checkToken(token string) *Error {
	if strings.Trim(token, " ") == "" {
		return invalid("token", "is empty")
	}
	if at := unsendable.FindStringIndex(token); at != nil {
		return invalid("token", "has the character %q at position %d, which no header can hold; was it read from a file?",
			[]rune(token[at[0]:])[0], at[0]+1)
	}
	return nil
}

func checkHeader(name, value string) *Error {
	switch {
	case !headerName.MatchString(name) || strings.HasPrefix(name, "grpc-"):
		return invalid("metadata", "has %q, no name of a header: lower case, digits, _ . and -, and not grpc-*", name)
	case name == "authorization":
		return invalid("metadata", "has authorization, the header of the option WithToken")
	case unsendable.MatchString(value):
		return invalid("metadata", "has a character in the value of %q that no header can hold", name)
	}
	return nil
}

// Of the schemes that gRPC knows, those after which "host:port" follows, and those after which something else does.
var (
	schemesOfHosts = []string{"dns", "passthrough"}
	schemesOfPaths = []string{"unix", "unix-abstract", "vsock", "xds"}
	endpoint       = regexp.MustCompile(`^(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^:\[\]]+)(?::([^:]*))?$`)
)

const portMax = 65535

// checkAddress refuses what can't be the address of a host, before anybody tries to look it up.
func checkAddress(address string) *Error {
	const wanted = "give host:port, such as host-7.example:50051"
	if strings.TrimSpace(address) == "" {
		return invalid("address", "is empty; %s", wanted)
	}
	if strings.ContainsAny(address, " \t\r\n") {
		return invalid("address", "%q has white space in it; %s", address, wanted)
	}
	scheme, rest, hasScheme := strings.Cut(address, ":")
	switch {
	case hasScheme && slices.Contains(schemesOfPaths, strings.ToLower(scheme)):
		return nil
	case hasScheme && slices.Contains(schemesOfHosts, strings.ToLower(scheme)):
		// dns://authority/host:port
		rest = rest[strings.LastIndex(rest, "/")+1:]
	case strings.HasPrefix(rest, "//"):
		return invalid("address", "%q begins with %s://; %s. Whether it is TLS, the options say", address, scheme, wanted)
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
		return invalid("address", "%q names no host; %s", address, wanted)
	}
	if found[2] < 0 {
		return nil
	}
	text := rest[found[2]:found[3]]
	if port, err := strconv.ParseUint(text, 10, 32); err != nil || port == 0 || port > portMax {
		return invalid("address", "%q ends with %q, which is no port from 1 to %d", address, text, portMax)
	}
	return nil
}
