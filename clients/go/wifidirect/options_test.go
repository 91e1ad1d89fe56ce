package wifidirect

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// refusal is what Connect says of options that can't be right.
func refusal(t *testing.T, address string, options ...Option) string {
	t.Helper()
	client, err := Connect(address, options...)
	if err == nil {
		_ = client.Close()
		t.Errorf("%q was not refused", address)
		return ""
	}
	equal(t, asError(err).Code, codes.InvalidArgument)
	return asError(err).Message
}

func TestAddressThatIsNoneIsRefused(t *testing.T) {
	for address, want := range map[string]string{
		"": "is empty", " \t": "is empty", "host.example:1 ": "white space",
		"http://127.0.0.1:50051": "starts with http://", "https://host.example": "starts with https://",
		"grpc://host.example:1": "starts with grpc://", "tcp://h:1": "starts with tcp://",
		"host.example:50051/path": "has a path", "host.example:0": "not a port", "host.example:65536": "not a port",
		"host.example:port": "not a port", "host.example:": "not a port", "host.example:-1": "not a port", ":50051": "not the address of a host",
		"dns:///host.example:0": "not a port", "[::1]:65536": "not a port", "a:b:c": "not the address of a host",
	} {
		text := refusal(t, address)
		if !strings.HasPrefix(text, "address ") || !strings.Contains(text, want) {
			t.Errorf("%q: %s", address, text)
		}
	}
}

func TestAddressesThatGRPCKnowsAreTaken(t *testing.T) {
	for _, address := range []string{
		"localhost:50051", "localhost", "host-7.example:65535", "10.0.0.7:1", "[::1]:50051", "[fe80::1%eth0]:50051", "::1",
		"fe80::1:2", "dns:///host.example:50051", "dns:host.example:50051", "dns://8.8.8.8/host.example:50051",
		"unix:/run/wfdd.sock", "unix:///run/wfdd.sock", "passthrough:///host.example:1",
	} {
		if err := checkAddress(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestTokenThatNoHeaderCanHoldIsRefusedAndNotTold(t *testing.T) {
	for token, want := range map[string]string{
		"": "is empty", "  ": "is empty", "secret\n": `'\n' at position 7`, "s\x00cret": "position 2", "sécret": `'é'`,
		"secret\x7f": "position 7",
	} {
		text := refusal(t, "localhost:1", WithToken(token))
		if !strings.HasPrefix(text, "token ") || !strings.Contains(text, want) || strings.Contains(text, "cret") {
			t.Errorf("%q: %s", token, text)
		}
	}
}

func TestTimeoutThatIsNoneIsRefused(t *testing.T) {
	for text, option := range map[string]Option{
		"timeout is 0s":            WithTimeout(0),
		"timeout is -1s":           WithTimeout(-time.Second),
		"connect timeout is 0s":    WithConnectTimeout(0),
		"connect timeout is 999µs": WithConnectTimeout(999 * time.Microsecond),
	} {
		if told := refusal(t, "localhost:1", option); !strings.HasPrefix(told, text) {
			t.Errorf("%q is not about %q", told, text)
		}
	}
	equal(t, seen(t, connected(t, serve(t, seesCallers()), WithTimeout(math.MaxInt64))), "/")
}

func TestTokenOfASourceThatNoHeaderCanHoldFailsTheCall(t *testing.T) {
	client := connected(t, serve(t, seesCallers()), WithTokenSource(func(context.Context) (string, error) {
		return "secret\n", nil
	}))
	_, err := client.Sessions.Get(t.Context(), "a-session")
	equal(t, asError(err).Code, codes.Unavailable)
	equal(t, strings.Contains(err.Error(), "can't get the token") && !strings.Contains(err.Error(), "secret"), true)
}

func TestEveryCallHasWhatTheHookForMetadataGives(t *testing.T) {
	type key struct{}
	sent := make(chan []string, 2)
	note := func(ctx context.Context) { sent <- metadata.ValueFromIncomingContext(ctx, "traceparent") }
	host := &scriptedHost{
		open: func(_ *wifidirectv1.OpenSessionRequest, stream opening) error {
			note(stream.Context())
			tell(t, stream, opens)
			return nil
		},
		get: func(ctx context.Context, _ *wifidirectv1.GetSessionRequest) (*wifidirectv1.GetSessionResponse, error) {
			note(ctx)
			return &wifidirectv1.GetSessionResponse{Session: &wifidirectv1.Session{}}, nil
		},
	}
	client := connected(t, serve(t, host), WithMetadata(func(ctx context.Context) (map[string]string, error) {
		return map[string]string{"traceparent": ctx.Value(key{}).(string)}, nil
	}))
	_, err := client.Sessions.Get(context.WithValue(t.Context(), key{}, "one"), "a-session")
	equal(t, err, nil)
	equal(t, <-sent, []string{"one"})
	session, err := client.Sessions.Open(context.WithValue(t.Context(), key{}, "two"), OpenRequest{})
	equal(t, err, nil)
	session.Detach()
	equal(t, <-sent, []string{"two"})
}

func TestMetadataThatCannotBeSentFailsTheCall(t *testing.T) {
	for want, hook := range map[string]MetadataHook{
		"no tracer":               func(context.Context) (map[string]string, error) { return nil, errors.New("no tracer") },
		`"Upper"`:                 func(context.Context) (map[string]string, error) { return map[string]string{"Upper": ""}, nil },
		"no grpc- prefix":         func(context.Context) (map[string]string, error) { return map[string]string{"grpc-x": ""}, nil },
		"use WithToken":           func(context.Context) (map[string]string, error) { return map[string]string{"authorization": "x"}, nil },
		"not allowed in a header": func(context.Context) (map[string]string, error) { return map[string]string{"x": "\n"}, nil },
	} {
		client := connected(t, serve(t, seesCallers()), WithMetadata(hook))
		_, err := client.Sessions.Get(t.Context(), "a-session")
		equal(t, asError(err).Code, codes.Unavailable)
		if !strings.Contains(err.Error(), "can't get the metadata") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v is not about %s", err, want)
		}
	}
}

// silentAddress accepts, and says nothing.
func silentAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn) }()
		}
	}()
	return listener.Addr().String()
}

func TestAttemptToConnectIsBoundedInAll(t *testing.T) {
	address := silentAddress(t)
	config, err := LoadTLS("", "", "")
	equal(t, err, nil)
	for _, how := range []Option{WithClearText(), WithTLS(config)} {
		client := connected(t, address, how, WithConnectTimeout(200*time.Millisecond), WithTimeout(time.Minute))
		_, err := client.Sessions.Get(t.Context(), "a-session")
		equal(t, asError(err).Code, codes.Unavailable)
		if !strings.Contains(err.Error(), "no answer within 200ms") {
			t.Error(err)
		}
	}
	params := connectParams(connectTimeoutDefault)
	equal(t, params.MinConnectTimeout, 10*time.Second)
	longest := float64(params.Backoff.MaxDelay) * (1 + params.Backoff.Jitter)
	equal(t, longest <= float64(10*time.Second), true)
}

func TestCauseOfAFailedConnectionIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	_ = listener.Close()
	inClear := serve(t, seesCallers())
	for address, cause := range map[string]string{nobody: "refused", inClear: "first record does not look like a TLS handshake"} {
		config, err := LoadTLS("", "", "")
		equal(t, err, nil)
		_, err = connected(t, address, WithTLS(config)).Sessions.Get(t.Context(), "a-session")
		equal(t, asError(err).Code, codes.Unavailable)
		if !strings.Contains(err.Error(), cause) {
			t.Errorf("%v is not about %q", err, cause)
		}
	}
}

func TestSecondCloseIsHarmless(t *testing.T) {
	client := connected(t, serve(t, seesCallers()))
	equal(t, client.Close(), nil)
	equal(t, client.Close(), nil)
}

func TestWhateverAClosedClientEndsIsCanceled(t *testing.T) {
	began := make(chan struct{}, 3)
	wait := func(ctx context.Context) error {
		began <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	host := &scriptedHost{
		open: func(_ *wifidirectv1.OpenSessionRequest, stream opening) error {
			tell(t, stream, opens)
			return wait(stream.Context())
		},
		get: func(ctx context.Context, _ *wifidirectv1.GetSessionRequest) (*wifidirectv1.GetSessionResponse, error) {
			return nil, wait(ctx)
		},
		watch: func(stream grpc.ServerStreamingServer[wifidirectv1.WatchSessionsResponse]) error {
			return wait(stream.Context())
		},
	}
	client := connected(t, serve(t, host))
	calls := map[string]func() error{
		"get": func() error { _, err := client.Sessions.Get(t.Context(), "a-session"); return err },
		"watch": func() (failure error) {
			for _, err := range client.Sessions.Watch(t.Context(), WatchOptions{}) {
				failure = err
			}
			return failure
		},
		"open": func() error {
			session, err := client.Sessions.Open(t.Context(), OpenRequest{})
			if err != nil {
				return err
			}
			_, err = session.WaitOpen()
			return err
		},
	}
	type end struct {
		name string
		err  error
	}
	ends := make(chan end)
	for name, call := range calls {
		go func() { ends <- end{name, call()} }()
	}
	for range calls {
		<-began
	}
	equal(t, client.Close(), nil)
	check := func(name string, err error) {
		t.Helper()
		if asError(err).Code != codes.Canceled || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range calls {
		end := <-ends
		check(end.name+", under way", end.err)
	}
	for name, call := range calls {
		check(name+", later", call())
	}
}
