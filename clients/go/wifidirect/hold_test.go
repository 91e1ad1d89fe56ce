package wifidirect

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

type openResponse = *wifidirectv1.OpenSessionResponse

// quietStream gives each message after the same time, and then none.
type quietStream struct {
	ctx      context.Context
	interval time.Duration
	messages []openResponse
}

func (s *quietStream) Recv() (openResponse, error) {
	if len(s.messages) == 0 {
		<-s.ctx.Done()
		return nil, &Error{Code: codes.Canceled}
	}
	time.Sleep(s.interval)
	next := s.messages[0]
	s.messages = s.messages[1:]
	return next, nil
}

func sign(isDated bool) openResponse {
	if !isDated {
		return &wifidirectv1.OpenSessionResponse{}
	}
	return &wifidirectv1.OpenSessionResponse{HostTime: timestamppb.Now()}
}

func eventWith(state wifidirectv1.SessionState, isDated bool) openResponse {
	response := sign(isDated)
	response.Event = &wifidirectv1.SessionEvent{Session: &wifidirectv1.Session{State: state}}
	return response
}

// holding holds a session for an hour of simulated time. It returns the events, and when and how
// the stream ended.
func holding(t *testing.T, interval time.Duration, messages ...openResponse) (
	seen []wifidirectv1.SessionState, after time.Duration, end error,
) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		stream := &silenceDetector[openResponse]{
			receiver: &quietStream{ctx, interval, messages}, timeout: silenceTimeout(0), end: cancel,
		}
		session, err := hold(nil, stream, cancel)
		if err != nil {
			end, after = err, time.Since(start)
			return
		}
		seen, end = states(t, session)
		after = time.Since(start)
	})
	return seen, after, end
}

func TestSignsOfLifeKeepASessionAndAreNotHandedOn(t *testing.T) {
	seen, after, end := holding(t, 20*time.Second,
		eventWith(opens, true), sign(true), sign(true), eventWith(open, true), sign(true))
	equal(t, seen, []wifidirectv1.SessionState{opens, open})
	equal(t, asError(end).Code, codes.Unavailable)
	equal(t, asError(end).Reason, Reason(""))
	equal(t, asError(end).Message, "the host has been silent for 30s")
	equal(t, after, 5*20*time.Second+30*time.Second)
}

func TestHostThatNeverAnswersAnOpenIsSilentToo(t *testing.T) {
	_, after, end := holding(t, 0)
	equal(t, asError(end).Code, codes.Unavailable)
	equal(t, after, 30*time.Second)
}

func TestHostThatKnowsNoSignsOfLifeMayBeSilent(t *testing.T) {
	seen, after, end := holding(t, time.Second, eventWith(opens, false), eventWith(open, false))
	equal(t, seen, []wifidirectv1.SessionState{opens, open})
	equal(t, asError(end).Code, codes.Canceled)
	equal(t, after, time.Hour)
}

func TestSignsOfLifeAreAskedForUnlessToldOtherwise(t *testing.T) {
	asked := make(chan time.Duration, 1)
	client := connected(t, serve(t, &scriptedHost{
		open: func(request *wifidirectv1.OpenSessionRequest, stream opening) error {
			asked <- request.GetHeartbeatInterval().AsDuration()
			tell(t, stream, opens)
			return nil
		},
	}))
	for given, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Minute: time.Minute, -1: 0} {
		session, err := client.Sessions.Open(t.Context(), OpenRequest{HeartbeatInterval: given})
		equal(t, err, nil)
		session.Detach()
		equal(t, <-asked, want)
	}
}
