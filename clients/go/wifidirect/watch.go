package wifidirect

import (
	"context"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A watch reconnects: after every error that a retry can cure, it resumes from its last cursor.
//
//	attach --batches--> items            attach again, after a pause, from the last cursor
//	   |                                    ^
//	   +--error, not fatal--> Disconnected -+
//
// Invariant: the cursor advances with the batch that carries it, before the items of the batch are
// yielded. So no event is lost or repeated, however often the stream breaks.

// WatchItem is an item of a watch: a Snapshot, a Change, a Bookmark or a Disconnected.
type WatchItem interface{ isWatchItem() }

// Snapshot is the current state of everything. It replaces everything known so far, also in the
// middle of a watch.
type Snapshot[Thing any] struct {
	Items  []Thing
	Cursor string
}

// Change is one event.
type Change[Event any] struct {
	Event Event
	// Cursor can be saved, after the event was handled, to resume a later watch without missing an
	// event. Events of one batch share a cursor, so a resumed watch can repeat events that were
	// already handled. Skip them by epoch and sequence.
	Cursor string
}

// Bookmark means that nothing happened until this cursor.
type Bookmark struct{ Cursor string }

// Disconnected means that the stream broke. The watch reconnects by itself.
type Disconnected struct {
	// Err is why. If its reason is ReasonCursorExpired, events are lost, and a snapshot follows.
	Err     *Error
	RetryIn time.Duration
}

func (Snapshot[Thing]) isWatchItem() {}
func (Change[Event]) isWatchItem()   {}
func (Bookmark) isWatchItem()        {}
func (Disconnected) isWatchItem()    {}

// Backoff sets the pauses between attempts. Each is random between 0 and a bound, which doubles
// with each consecutive failure ("full jitter").
type Backoff struct {
	// Initial is the bound after the first failure. Default 250 ms.
	Initial time.Duration
	// Max is the largest bound. Default 30 s.
	Max time.Duration
	// Random returns numbers in [0, 1). Default rand.Float64.
	Random func() float64
}

func (b Backoff) pause(failures int, err *Error) time.Duration {
	initial, bound, random := b.Initial, b.Max, b.Random
	if initial == 0 {
		initial = 250 * time.Millisecond
	}
	if bound == 0 {
		bound = 30 * time.Second
	}
	if random == nil {
		random = rand.Float64
	}
	jitter := time.Duration(random() * min(float64(bound), float64(initial)*math.Exp2(float64(failures))))
	return min(err.RetryDelay, retryDelayMax) + jitter
}

const (
	// The longest pause that a host can request.
	retryDelayMax = 5 * time.Minute
	// A stream that lasted this long resets the pauses.
	healthyAfter = 10 * time.Second
)

// batch is a response of WatchSessions or WatchDevices.
type batch[Thing, Event any] interface {
	GetEvents() []Event
	GetCursor() string
	GetSnapshot() []Thing
	GetSnapshotComplete() bool
}

// start is the start of a watch and its options.
type start struct {
	cursor           string
	bookmarkInterval time.Duration
	backoff          Backoff
}

func (s start) check() *Error {
	for option, duration := range map[string]time.Duration{
		"bookmark interval": s.bookmarkInterval, "backoff, initial": s.backoff.Initial, "backoff, max": s.backoff.Max,
	} {
		if duration < 0 {
			return invalid(option, "is %v; it must be 0 (the default) or more", duration)
		}
	}
	return nil
}

// watch runs until one of the contexts ends.
func watch[Thing, Event any, Batch batch[Thing, Event]](
	ctx, clientCtx context.Context,
	attach func(ctx context.Context, cursor string) (receiver[Batch], error),
	from start,
) iter.Seq2[WatchItem, error] {
	return func(yield func(WatchItem, error) bool) {
		if err := from.check(); err != nil {
			yield(nil, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(clientCtx, cancel)()
		state := watching[Thing, Event, Batch]{start: from}
		for {
			err := state.follow(ctx, attach, yield)
			if err == nil {
				return
			}
			if ctx.Err() != nil || isFatal(err.Code) {
				yield(nil, err)
				return
			}
			broken := state.disconnected(err)
			if !yield(broken, nil) {
				return
			}
			if err := sleep(ctx, broken.RetryIn); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// watching is the state of one watch.
type watching[Thing, Event any, Batch batch[Thing, Event]] struct {
	// The cursor in it advances.
	start
	failures int
	// The reason of the last failure; empty if it had none, or if there was no failure.
	reason Reason
	// When the first message of the stream came; zero if none has.
	firstMessage time.Time
}

// follow attaches once and yields the items of the stream. It returns the error that ended the
// stream, or nil if the caller stopped the iteration.
func (w *watching[Thing, Event, Batch]) follow(
	ctx context.Context,
	attach func(ctx context.Context, cursor string) (receiver[Batch], error),
	yield func(WatchItem, error) bool,
) *Error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := attach(ctx, w.cursor)
	if err != nil {
		return asError(err)
	}
	receiver := silenceDetector[Batch]{receiver: stream, timeout: silenceTimeout(w.bookmarkInterval), end: cancel}
	var things []Thing
	for {
		batch, err := receiver.Recv()
		if err == io.EOF {
			// A watch has no end, so the end of its stream is an error.
			return &Error{Code: codes.Unavailable, Message: "the host ended the watch"}
		}
		if err != nil {
			return asError(err)
		}
		for _, item := range w.take(batch, &things) {
			if !yield(item, nil) {
				return nil
			}
		}
	}
}

// take advances the cursor and returns the items of the batch. things collects a snapshot until it
// is complete.
func (w *watching[Thing, Event, Batch]) take(batch Batch, things *[]Thing) []WatchItem {
	if w.firstMessage.IsZero() {
		w.firstMessage = time.Now()
	}
	*things = append(*things, batch.GetSnapshot()...)
	before := w.cursor
	if batch.GetCursor() != "" {
		w.cursor = batch.GetCursor()
	}
	var items []WatchItem
	if batch.GetSnapshotComplete() {
		items = append(items, Snapshot[Thing]{*things, w.cursor})
		*things = nil
	}
	events := batch.GetEvents()
	for i, event := range events {
		cursor := before
		if i == len(events)-1 {
			cursor = w.cursor
		}
		items = append(items, Change[Event]{event, cursor})
	}
	if len(items) == 0 && len(batch.GetSnapshot()) == 0 && batch.GetCursor() != "" {
		items = append(items, Bookmark{w.cursor})
	}
	return items
}

// disconnected decides when to attach again.
func (w *watching[Thing, Event, Batch]) disconnected(err *Error) Disconnected {
	if err.Reason == ReasonCursorExpired {
		w.cursor = ""
	}
	if w.resetsPauses(err.Reason) {
		w.failures = 0
	}
	w.firstMessage, w.reason = time.Time{}, err.Reason
	pause := w.backoff.pause(w.failures, err)
	w.failures++
	return Disconnected{err, pause}
}

// resetsPauses reports whether the pauses start again from the shortest: the stream lasted for a
// while, or the host answers again. One message is not enough, because a stream could break after
// each first message.
func (w *watching[Thing, Event, Batch]) resetsPauses(reason Reason) bool {
	lasted := !w.firstMessage.IsZero() && time.Since(w.firstMessage) >= healthyAfter
	answersAgain := reason != "" && w.reason == ""
	// The first time, a request for a snapshot cures this error at once.
	hasExpired := reason == ReasonCursorExpired && w.reason != ReasonCursorExpired
	return lasted || answersAgain || hasExpired
}

// isFatal reports whether a retry is pointless.
func isFatal(code codes.Code) bool {
	switch code {
	case codes.Unauthenticated, codes.PermissionDenied, codes.InvalidArgument, codes.Unimplemented:
		return true
	}
	return false
}

// sleep waits for the pause, or returns an error when the context ends.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return decode(status.FromContextError(ctx.Err()).Err())
	}
}
