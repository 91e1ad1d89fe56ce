package wifidirect

import (
	"context"
	"errors"
	"io"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

var (
	broken   = &Error{Code: codes.Unavailable, Message: "The connection broke."}
	expired  = &Error{Code: codes.OutOfRange, Reason: ReasonCursorExpired}
	tooSlow  = &Error{Code: codes.ResourceExhausted, Reason: ReasonWatcherTooSlow}
	stopping = &Error{Code: codes.Unavailable, Reason: ReasonHostStopping, RetryDelay: 5 * time.Second}
)

type message = *wifidirectv1.WatchSessionsResponse

// script is a stream that sends these messages, lasts for a while, and ends with this error. If the
// error is nil, the stream is silent instead.
type script struct {
	messages []message
	err      error
	stands   time.Duration
}

// host attaches watches to one script after another, and notes what they asked.
type host struct {
	scripts []script
	cursors []string
	times   []time.Duration
	start   time.Time
}

type scripted struct {
	ctx context.Context
	script
}

func (s *scripted) Recv() (message, error) {
	if len(s.messages) > 0 {
		next := s.messages[0]
		s.messages = s.messages[1:]
		return next, nil
	}
	if s.err == nil {
		<-s.ctx.Done()
		return nil, &Error{Code: codes.Canceled}
	}
	time.Sleep(s.stands)
	return nil, s.err
}

func (h *host) attach(ctx context.Context, cursor string) (receiver[message], error) {
	h.cursors = append(h.cursors, cursor)
	h.times = append(h.times, time.Since(h.start))
	next := script{}
	if len(h.scripts) > 0 {
		next, h.scripts = h.scripts[0], h.scripts[1:]
	}
	return &scripted{ctx, next}, nil
}

// half makes the pauses 125, 250, 500, ... ms.
var half = Backoff{Random: func() float64 { return 0.5 }}

// run watches until the last script has been silent for an hour of simulated time. It does not wait
// for bookmarks.
func run(t *testing.T, cursor string, backoff Backoff, scripts ...script) (h host, items []WatchItem, failure error) {
	return runFrom(t, start{cursor, time.Hour, backoff}, scripts...)
}

func runFrom(t *testing.T, from start, scripts ...script) (h host, items []WatchItem, failure error) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		h = host{scripts: scripts, start: time.Now()}
		for item, err := range watch(ctx, context.Background(), h.attach, from) {
			if err == nil {
				items = append(items, item)
			} else if ctx.Err() == nil {
				failure = err
			}
		}
	})
	return h, items, failure
}

func snapshotAt(cursor string, ids ...string) message {
	return &wifidirectv1.WatchSessionsResponse{Cursor: cursor, Snapshot: sessions(ids...), SnapshotComplete: true}
}

func eventsTo(cursor string, sequences ...uint64) message {
	response := &wifidirectv1.WatchSessionsResponse{Cursor: cursor}
	for _, sequence := range sequences {
		response.Events = append(response.Events, &wifidirectv1.SessionEvent{Sequence: sequence})
	}
	return response
}

func sessions(ids ...string) (sessions []*wifidirectv1.Session) {
	for _, id := range ids {
		sessions = append(sessions, &wifidirectv1.Session{SessionId: id})
	}
	return sessions
}

// told is what items say, in short.
func told(items []WatchItem) (told []any) {
	for _, item := range items {
		switch item := item.(type) {
		case SessionSnapshot:
			ids := []string{}
			for _, session := range item.Items {
				ids = append(ids, session.GetSessionId())
			}
			told = append(told, ids)
		case SessionChange:
			told = append(told, int(item.Event.GetSequence()))
		case Bookmark:
			told = append(told, "bookmark "+item.Cursor)
		case Disconnected:
			told = append(told, item.Err.Code)
		}
	}
	return told
}

func pauses(items []WatchItem) (pauses []time.Duration) {
	for _, item := range items {
		if item, ok := item.(Disconnected); ok {
			pauses = append(pauses, item.RetryIn)
		}
	}
	return pauses
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSnapshotThatComesInPartsIsToldAsOne(t *testing.T) {
	parts := []message{{Snapshot: sessions("a", "b")}, {Snapshot: sessions("c")}, snapshotAt("c1", "d")}
	_, items, _ := run(t, "", half, script{messages: parts})
	equal(t, told(items), []any{[]string{"a", "b", "c", "d"}})
	equal(t, items[0].(SessionSnapshot).Cursor, "c1")
}

func TestHostWithoutSessionsIsToldByAnEmptySnapshot(t *testing.T) {
	_, items, _ := run(t, "", half, script{messages: []message{snapshotAt("c1")}})
	equal(t, told(items), []any{[]string{}})
}

func TestBookmarkIsResumedFrom(t *testing.T) {
	h, items, _ := run(t, "c1", half, script{messages: []message{{Cursor: "c7"}}, err: broken})
	equal(t, told(items), []any{"bookmark c7", codes.Unavailable})
	equal(t, h.cursors, []string{"c1", "c7"})
}

func TestCursorOfAnEventNeverSkipsThoseThatCameWithIt(t *testing.T) {
	_, items, _ := run(t, "c0", half, script{messages: []message{eventsTo("c1", 1), eventsTo("c4", 2, 3, 4)}})
	cursors := []string{}
	for _, item := range items {
		cursors = append(cursors, item.(SessionChange).Cursor)
	}
	equal(t, cursors, []string{"c1", "c1", "c1", "c4"})
}

func TestWatchGoesOnWithoutGapOrDouble(t *testing.T) {
	for what, err := range map[string]error{
		"the connection breaks":             broken,
		"the host finds the reader slow":    tooSlow,
		"the host stops":                    stopping,
		"the host ends the stream well":     io.EOF,
		"something else fails":              errors.New("boom"),
		"the host speaks of an unknown row": &Error{Code: codes.Internal, Reason: "NEW_AND_STRANGE"},
	} {
		t.Run("after "+what, func(t *testing.T) {
			h, items, _ := run(t, "", half,
				script{messages: []message{snapshotAt("c0", "a"), eventsTo("c2", 1, 2)}, err: err},
				script{messages: []message{eventsTo("c3", 3), eventsTo("c5", 4, 5)}, err: err},
				script{messages: []message{eventsTo("c6", 6)}})
			equal(t, h.cursors, []string{"", "c2", "c5"})
			code := items[3].(Disconnected).Err.Code
			equal(t, told(items), []any{[]string{"a"}, 1, 2, code, 3, 4, 5, code, 6})
		})
	}
}

func TestExpiredCursorIsToldAndANewSnapshotFollows(t *testing.T) {
	h, items, _ := run(t, "c9", half,
		script{err: expired}, script{messages: []message{snapshotAt("d4", "z"), eventsTo("d5", 5)}})
	equal(t, h.cursors, []string{"c9", ""})
	equal(t, told(items), []any{codes.OutOfRange, []string{"z"}, 5})
}

func TestSnapshotThatBrokeOffIsAskedForAnew(t *testing.T) {
	h, items, _ := run(t, "", half,
		script{messages: []message{{Snapshot: sessions("a", "b")}}, err: broken}, script{messages: []message{snapshotAt("c1", "a")}})
	equal(t, h.cursors, []string{"", ""})
	equal(t, told(items), []any{codes.Unavailable, []string{"a"}})
}

func milliseconds(counts ...time.Duration) (durations []time.Duration) {
	for _, count := range counts {
		durations = append(durations, count*time.Millisecond)
	}
	return durations
}

func TestPausesDoubleUpToTheirBound(t *testing.T) {
	h, items, _ := run(t, "c0", half, slices.Repeat([]script{{err: broken}}, 9)...)
	equal(t, pauses(items), milliseconds(125, 250, 500, 1000, 2000, 4000, 8000, 15000, 15000))
	equal(t, h.times[:4], []time.Duration{0, 125 * time.Millisecond, 375 * time.Millisecond, 875 * time.Millisecond})
}

func TestPausesStartOverOnlyOnceAStreamHasStood(t *testing.T) {
	one := []message{eventsTo("c1", 1)}
	_, items, _ := run(t, "c0", half, script{err: broken}, script{err: broken},
		script{messages: one, err: broken}, script{messages: one, err: broken, stands: healthyAfter - 1},
		script{err: broken, stands: time.Minute}, script{messages: one, err: broken, stands: healthyAfter})
	equal(t, pauses(items), milliseconds(125, 250, 500, 1000, 2000, 125))
}

func TestPausesStartOverWhenAHostThatWasAwayAnswers(t *testing.T) {
	refused := &Error{Code: codes.ResourceExhausted, Reason: ReasonQuotaExceeded}
	_, items, _ := run(t, "c0", half, script{err: broken}, script{err: broken}, script{err: broken},
		script{err: refused}, script{err: refused}, script{err: refused}, script{err: broken}, script{err: expired})
	equal(t, pauses(items), milliseconds(125, 250, 500, 125, 250, 500, 1000, 125))
}

func TestCursorThatExpiresAgainAndAgainIsNotAskedForAtOnce(t *testing.T) {
	refused := &Error{Code: codes.Internal, Reason: ReasonInternal}
	scripts := []script{{err: refused}, {err: refused}, {err: expired}, {err: expired}, {err: expired}}
	_, items, _ := run(t, "c0", half, scripts...)
	equal(t, pauses(items), milliseconds(125, 250, 125, 250, 500))
}

func TestWatchThatHearsNothingForThreeBookmarksAttachesAgain(t *testing.T) {
	for interval, silence := range map[time.Duration]time.Duration{0: 30 * time.Second, time.Minute: 3 * time.Minute} {
		alive := script{messages: []message{eventsTo("c1", 1)}}
		h, items, _ := runFrom(t, start{"c0", interval, half}, script{}, alive)
		equal(t, told(items[:3]), []any{codes.Unavailable, 1, codes.Unavailable})
		first := items[0].(Disconnected)
		equal(t, first.Err.Reason, Reason(""))
		equal(t, first.Err.Message, "the host has been silent for "+silence.String())
		equal(t, h.cursors[:3], []string{"c0", "c0", "c1"})
		equal(t, h.times[1], silence+first.RetryIn)
	}
}

func TestWatchThatCannotBeIsRefused(t *testing.T) {
	for _, from := range []start{
		{bookmarkInterval: -1}, {backoff: Backoff{Initial: -1}}, {backoff: Backoff{Max: -time.Second}},
	} {
		h, items, failure := runFrom(t, from)
		equal(t, asError(failure).Code, codes.InvalidArgument)
		equal(t, len(h.cursors)+len(items), 0)
	}
}

func TestPauseIsDrawnAtRandom(t *testing.T) {
	for drawn, want := range map[float64]time.Duration{0: 0, 0.25: 250 * time.Millisecond, 0.999: 999 * time.Millisecond} {
		backoff := Backoff{Initial: time.Second, Random: func() float64 { return drawn }}
		_, items, _ := run(t, "c0", backoff, script{err: broken})
		equal(t, pauses(items), []time.Duration{want})
	}
}

func TestPauseThatTheHostAsksForIsKept(t *testing.T) {
	_, items, _ := run(t, "c0", half, script{err: stopping})
	equal(t, pauses(items), []time.Duration{5125 * time.Millisecond})
}

func TestPauseThatTheHostAsksForIsKeptForFiveMinutesAtMost(t *testing.T) {
	_, items, _ := run(t, "c0", half, script{err: &Error{Code: codes.Unavailable, RetryDelay: math.MaxInt64}})
	equal(t, pauses(items), []time.Duration{5*time.Minute + 125*time.Millisecond})
}

func TestWatchGivesUpWhereTryingAgainCannotHelp(t *testing.T) {
	for _, code := range []codes.Code{
		codes.Unauthenticated, codes.PermissionDenied, codes.InvalidArgument, codes.Unimplemented,
	} {
		h, items, failure := run(t, "", half, script{messages: []message{eventsTo("c1", 1)}, err: &Error{Code: code}})
		equal(t, told(items), []any{1})
		equal(t, asError(failure).Code, code)
		equal(t, len(h.cursors), 1)
	}
}

func TestWhoLeavesGetsNoMoreAndNothingIsAttachedAgain(t *testing.T) {
	h := host{scripts: []script{{messages: []message{eventsTo("c9", 1, 2, 3)}, err: broken}}}
	seen := 0
	for range watch(t.Context(), context.Background(), h.attach, start{backoff: half}) {
		if seen++; seen == 2 {
			break
		}
	}
	equal(t, seen, 2)
	equal(t, len(h.cursors), 1)
}

func TestEachRangeIsAWatchOfItsOwn(t *testing.T) {
	h := host{scripts: []script{{messages: []message{eventsTo("c5", 5)}}, {messages: []message{eventsTo("c5", 5)}}}}
	items := watch(t.Context(), context.Background(), h.attach, start{cursor: "c4", backoff: half})
	for range 2 {
		for range items {
			break
		}
	}
	equal(t, h.cursors, []string{"c4", "c4"})
}

func TestClosedClientEndsAWatchThatPauses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		clientCtx, closeClient := context.WithCancel(t.Context())
		defer closeClient()
		h := host{scripts: []script{{err: stopping}}, start: time.Now()}
		var failure error
		for item, err := range watch(t.Context(), clientCtx, h.attach, start{cursor: "c0", backoff: half}) {
			if _, ok := item.(Disconnected); ok {
				time.AfterFunc(time.Second, closeClient)
			}
			failure = err
		}
		equal(t, asError(failure).Code, codes.Canceled)
		equal(t, time.Since(h.start), time.Second)
	})
}
