package wifidirect

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

func leased(host time.Time, left time.Duration) *wifidirectv1.Session {
	return &wifidirectv1.Session{LeaseExpireTime: timestamppb.New(host.Add(left))}
}

func TestLeaseIsReckonedByTheClockOfTheHost(t *testing.T) {
	for _, ahead := range []time.Duration{2 * time.Hour, -2 * time.Hour, 0} {
		bubble(t, func(t *testing.T) {
			host := time.Now().Add(ahead)
			sessions := &Sessions{clock: &hostClock{}}
			sessions.clock.observe(&wifidirectv1.GetSessionResponse{HostTime: timestamppb.New(host)})
			session := leased(host, time.Minute)
			left, ok := sessions.LeaseLeft(session)
			equal(t, []any{left, ok}, []any{time.Minute, true})
			time.Sleep(20 * time.Second)
			left, _ = sessions.LeaseLeft(session)
			equal(t, left, 40*time.Second)
			time.Sleep(time.Hour)
			left, ok = sessions.LeaseLeft(session)
			equal(t, []any{left, ok}, []any{time.Duration(0), true})
		})
	}
}

func TestSessionWithoutALeaseHasNoneLeft(t *testing.T) {
	_, ok := (&Sessions{clock: &hostClock{}}).LeaseLeft(&wifidirectv1.Session{})
	equal(t, ok, false)
}

func TestEveryAnswerAndMessageSetsTheClock(t *testing.T) {
	day := 24 * time.Hour
	past := func(days int) *timestamppb.Timestamp {
		return timestamppb.New(time.Now().Add(-time.Duration(days) * day))
	}
	client := connected(t, serve(t, &scriptedHost{
		get: func(context.Context, *wifidirectv1.GetSessionRequest) (*wifidirectv1.GetSessionResponse, error) {
			return &wifidirectv1.GetSessionResponse{Session: &wifidirectv1.Session{}, HostTime: past(1)}, nil
		},
		open: func(_ *wifidirectv1.OpenSessionRequest, stream opening) error {
			event := &wifidirectv1.SessionEvent{Session: &wifidirectv1.Session{}}
			return stream.Send(&wifidirectv1.OpenSessionResponse{Event: event, HostTime: past(2)})
		},
	}))
	behind := func() time.Duration { return time.Since(client.HostNow()).Round(day) }
	equal(t, behind(), time.Duration(0))
	_, err := client.Sessions.Get(t.Context(), "a-session")
	equal(t, err, nil)
	equal(t, behind(), day)
	_, err = client.Sessions.Open(t.Context(), OpenRequest{})
	equal(t, err, nil)
	equal(t, behind(), 2*day)
}

func TestNameOfAnEnumValueIsWithoutItsPrefix(t *testing.T) {
	equal(t, NameOf(open), "OPEN")
	equal(t, NameOf(wifidirectv1.SessionKind_SESSION_KIND_WIFI_DIRECT), "WIFI_DIRECT")
	equal(t, NameOf(wifidirectv1.SessionEventType_SESSION_EVENT_TYPE_UNSPECIFIED), "UNSPECIFIED")
	equal(t, NameOf(wifidirectv1.ErrorReason_ERROR_REASON_OPEN_FAILED), string(ReasonOpenFailed))
	equal(t, NameOf(wifidirectv1.SessionState(99)), "99")
}
