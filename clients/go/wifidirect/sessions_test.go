package wifidirect

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

const display = "02:11:22:33:44:01"

type opening = grpc.ServerStreamingServer[wifidirectv1.OpenSessionResponse]

func tell(t *testing.T, stream opening, states ...wifidirectv1.SessionState) {
	t.Helper()
	for _, state := range states {
		event := &wifidirectv1.SessionEvent{Session: &wifidirectv1.Session{SessionId: "a-session", State: state}}
		if err := stream.Send(&wifidirectv1.OpenSessionResponse{Event: event}); err != nil {
			t.Error(err)
		}
	}
}

func states(t *testing.T, session *HeldSession) (states []wifidirectv1.SessionState, end error) {
	t.Helper()
	for event, err := range session.Events() {
		if err != nil {
			return states, err
		}
		states = append(states, event.GetSession().GetState())
	}
	return states, nil
}

const (
	opens   = wifidirectv1.SessionState_SESSION_STATE_OPENING
	open    = wifidirectv1.SessionState_SESSION_STATE_OPEN
	closing = wifidirectv1.SessionState_SESSION_STATE_CLOSING
	closed  = wifidirectv1.SessionState_SESSION_STATE_CLOSED
	failed  = wifidirectv1.SessionState_SESSION_STATE_FAILED
)

func TestSessionIsReadFromItsFirstEventToItsLast(t *testing.T) {
	client := connected(t, serve(t, &scriptedHost{
		open: func(_ *wifidirectv1.OpenSessionRequest, stream opening) error {
			tell(t, stream, opens, open, closing, closed)
			return nil
		},
	}))
	session, err := client.Sessions.Open(t.Context(), OpenRequest{DeviceAddress: display})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Detach()
	equal(t, session.ID, "a-session")
	for event := range session.Events() {
		equal(t, event.GetSession().GetState(), opens)
		break
	}
	opened, err := session.WaitOpen()
	equal(t, err, nil)
	equal(t, opened.GetState(), open)
	again, err := session.WaitOpen()
	equal(t, err, nil)
	equal(t, again, opened)
	rest, end := states(t, session)
	equal(t, rest, []wifidirectv1.SessionState{closing, closed})
	equal(t, end, nil)
	_, err = session.WaitOpen()
	equal(t, asError(err).Code, codes.Canceled)
	equal(t, errors.Is(err, context.Canceled), false)
}

func TestOpenThatFailsEndsWithItsErrorAfterItsLastEvent(t *testing.T) {
	client := connected(t, serve(t, &scriptedHost{
		open: func(_ *wifidirectv1.OpenSessionRequest, stream opening) error {
			tell(t, stream, opens, failed)
			return received(t, codes.Aborted, &errdetails.ErrorInfo{Domain: domain, Reason: "OPEN_FAILED"})
		},
	}))
	session, err := client.Sessions.Open(t.Context(), OpenRequest{DeviceAddress: display})
	if err != nil {
		t.Fatal(err)
	}
	seen, end := states(t, session)
	equal(t, seen, []wifidirectv1.SessionState{opens, failed})
	equal(t, asError(end).Reason, ReasonOpenFailed)
	_, err = session.WaitOpen()
	equal(t, asError(err).Reason, ReasonOpenFailed)
}

func TestOpenThatIsRefusedHoldsNothing(t *testing.T) {
	client := connected(t, serve(t, &scriptedHost{
		open: func(*wifidirectv1.OpenSessionRequest, opening) error {
			return received(t, codes.InvalidArgument, &errdetails.ErrorInfo{Domain: domain, Reason: "INVALID_FIELD"})
		},
	}))
	session, err := client.Sessions.Open(t.Context(), OpenRequest{})
	equal(t, session, (*HeldSession)(nil))
	equal(t, asError(err).Reason, ReasonInvalidField)
}

func TestDetachEndsTheStream(t *testing.T) {
	gone := make(chan struct{})
	client := connected(t, serve(t, &scriptedHost{
		open: func(_ *wifidirectv1.OpenSessionRequest, stream opening) error {
			tell(t, stream, opens)
			<-stream.Context().Done()
			close(gone)
			return nil
		},
	}))
	session, err := client.Sessions.Open(t.Context(), OpenRequest{DeviceAddress: display})
	if err != nil {
		t.Fatal(err)
	}
	session.Detach()
	session.Detach()
	<-gone
	seen, end := states(t, session)
	equal(t, seen, []wifidirectv1.SessionState{opens})
	equal(t, errors.Is(end, context.Canceled), true)
}

func TestRequestSaysWhatWasAskedForAndNoMore(t *testing.T) {
	requests := make(chan *wifidirectv1.OpenSessionRequest, 2)
	client := connected(t, serve(t, &scriptedHost{
		open: func(request *wifidirectv1.OpenSessionRequest, stream opening) error {
			requests <- request
			tell(t, stream, opens)
			return nil
		},
	}))
	for _, request := range []OpenRequest{{}, {RequestID: "mine", OpenTimeout: 1500 * time.Millisecond}} {
		session, err := client.Sessions.Open(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		session.Detach()
	}
	bare, full := <-requests, <-requests
	equal(t, bare.GetOpenTimeout() == nil && full.GetLeaseTtl() == nil, true)
	equal(t, bare.GetHeartbeatInterval().AsDuration(), 10*time.Second)
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	equal(t, uuid.MatchString(bare.GetRequestId()), true)
	equal(t, full.GetRequestId(), "mine")
	equal(t, full.GetOpenTimeout().AsDuration(), 1500*time.Millisecond)
}

func TestUnaryCallsHaveADeadlineButWhereTheyWait(t *testing.T) {
	left := func(ctx context.Context) time.Duration {
		deadline, ok := ctx.Deadline()
		if !ok {
			return 0
		}
		return time.Until(deadline).Round(time.Second)
	}
	seen := make(chan time.Duration, 1)
	client := connected(t, serve(t, &scriptedHost{
		get: func(ctx context.Context, _ *wifidirectv1.GetSessionRequest) (*wifidirectv1.GetSessionResponse, error) {
			seen <- left(ctx)
			return &wifidirectv1.GetSessionResponse{Session: &wifidirectv1.Session{}, Cursor: "c1"}, nil
		},
		close: func(
			ctx context.Context, request *wifidirectv1.CloseSessionRequest,
		) (*wifidirectv1.CloseSessionResponse, error) {
			equal(t, request.GetWaitForDisconnect(), true)
			seen <- left(ctx)
			return &wifidirectv1.CloseSessionResponse{Session: &wifidirectv1.Session{}}, nil
		},
	}))
	at, err := client.Sessions.Get(t.Context(), "a-session")
	equal(t, err, nil)
	equal(t, at.Cursor, "c1")
	equal(t, <-seen, 10*time.Second)
	_, err = client.Sessions.CloseAndWait(t.Context(), "a-session")
	equal(t, err, nil)
	equal(t, <-seen, time.Duration(0))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = client.Sessions.Get(ctx, "a-session")
	equal(t, err, nil)
	equal(t, <-seen, time.Minute)
}

func TestPagesAreAskedForAsTheyAreNeeded(t *testing.T) {
	asked := 0
	client := connected(t, serve(t, &scriptedHost{
		list: func(request *wifidirectv1.ListSessionsRequest) (*wifidirectv1.ListSessionsResponse, error) {
			asked++
			switch request.GetPageToken() {
			case "":
				return &wifidirectv1.ListSessionsResponse{Sessions: sessions("a", "b"), NextPageToken: "second"}, nil
			case "second":
				return &wifidirectv1.ListSessionsResponse{Sessions: sessions("c"), NextPageToken: "third"}, nil
			default:
				return nil, received(t, codes.InvalidArgument)
			}
		},
	}))
	ids := ""
	for session, err := range client.Sessions.List(t.Context(), ListOptions{}) {
		if err != nil {
			ids += " then " + asError(err).Code.String()
			continue
		}
		ids += session.GetSessionId()
	}
	equal(t, ids, "abc then InvalidArgument")
	for range client.Sessions.List(t.Context(), ListOptions{}) {
		break
	}
	equal(t, asked, 4)
}
