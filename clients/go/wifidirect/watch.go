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

// A watch goes on: it attaches again after every error that may heal, from where it was.
//
//	attach --batches--> items            attach again, after a pause, from the last cursor
//	   |                                    ^
//	   +--error that may heal--> Disconnected
//
// The rule that must not be broken: the cursor moves with the batch that carries it, before its items are given out; so
// nothing is skipped and nothing comes twice, however often the stream breaks.

// WatchItem is an item of a watch: a Snapshot, a Change, a Bookmark or a Disconnected.
type WatchItem interface{ isWatchItem() }

// Snapshot is all there is. It replaces what was known, also when it comes in the middle of a watch.
type Snapshot[Thing any] struct {
	Items  []Thing
	Cursor string
}

// Change is one thing that happened.
type Change[Event any] struct {
	Event Event
	// Cursor is what to keep, once the event is dealt with, to resume a later watch: nothing will be missed. Events that
	// came together share a cursor, so a program that ends in the middle of them gets some again; pass over those by epoch
	// and sequence.
	Cursor string
}

// Bookmark says that nothing happened, up to this cursor.
type Bookmark struct{ Cursor string }

// Disconnected says that the stream broke. It will be attached again by itself: there is nothing to do.
type Disconnected struct {
	// Err: with ReasonCursorExpired, events are lost for good, and a snapshot follows.
	Err     *Error
	RetryIn time.Duration
}

func (Snapshot[Thing]) isWatchItem() {}
func (Change[Event]) isWatchItem()   {}
func (Bookmark) isWatchItem()        {}
func (Disconnected) isWatchItem()    {}

// Backoff sets the pauses between attempts: at random from 0 to a bound, which doubles with each failure in a row ("full
// jitter").
type Backoff struct {
	// Initial is the bound after the first failure. Default 250 ms.
	Initial time.Duration
	// Max is the largest bound. Default 30 s.
	Max time.Duration
	// Random gives numbers from 0 to below 1. Default rand.Float64.
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
	// How long a watch waits at most because the host asks for it.
	retryDelayMax = 5 * time.Minute
	// A stream that stood for so long was well: the pauses start over.
	healthyAfter = 10 * time.Second
)

// batch is a response of WatchSessions or WatchDevices.
type batch[Thing, Event any] interface {
	GetEvents() []Event
	GetCursor() string
	GetSnapshot() []Thing
	GetSnapshotComplete() bool
}

// start is where and how a watch begins.
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
			return invalid(option, "is %v; it has to be 0 (the default) or more", duration)
		}
	}
	return nil
}

// watch ends with either context.
func watch[Thing, Event any, Batch batch[Thing, Event]](
	ctx, isOpen context.Context,
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
		defer context.AfterFunc(isOpen, cancel)()
		watching := watching[Thing, Event, Batch]{start: from}
		for {
			err := watching.follow(ctx, attach, yield)
			if err == nil {
				return
			}
			if ctx.Err() != nil || isFatal(err.Code) {
				yield(nil, err)
				return
			}
			broken := watching.broke(err)
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

// watching is where one watch is.
type watching[Thing, Event any, Batch batch[Thing, Event]] struct {
	// Its cursor moves.
	start
	failures int
	// Of the failure before; empty: the host did not say why, or there was none.
	reason Reason
	// When the first message of the stream came; zero: none has.
	standsSince time.Time
}

// follow attaches once, and gives out what comes. It answers with what ended it; nil: whoever reads has left.
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
	heard := attentive[Batch]{receiver: stream, patience: patience(w.bookmarkInterval), end: cancel}
	var things []Thing
	for {
		batch, err := heard.Recv()
		if err == io.EOF {
			// A watch has no end of its own.
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

// take moves the cursor; things is what has come of a snapshot that is not complete.
func (w *watching[Thing, Event, Batch]) take(batch Batch, things *[]Thing) []WatchItem {
	if w.standsSince.IsZero() {
		w.standsSince = time.Now()
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

// broke says when to attach again.
func (w *watching[Thing, Event, Batch]) broke(err *Error) Disconnected {
	if err.Reason == ReasonCursorExpired {
		w.cursor = ""
	}
	if w.startsOver(err.Reason) {
		w.failures = 0
	}
	w.standsSince, w.reason = time.Time{}, err.Reason
	pause := w.backoff.pause(w.failures, err)
	w.failures++
	return Disconnected{err, pause}
}

// startsOver tells whether the pauses do: the stream stood for a while, or a host that did not answer now does. A message
// alone proves nothing: a stream that breaks right after it would be attached to again and again.
func (w *watching[Thing, Event, Batch]) startsOver(reason Reason) bool {
	stood := !w.standsSince.IsZero() && time.Since(w.standsSince) >= healthyAfter
	answersAgain := reason != "" && w.reason == ""
	// Asking for a snapshot instead heals this one at once, but not if it comes again.
	hasExpired := reason == ReasonCursorExpired && w.reason != ReasonCursorExpired
	return stood || answersAgain || hasExpired
}

// isFatal: trying again can't help.
func isFatal(code codes.Code) bool {
	switch code {
	case codes.Unauthenticated, codes.PermissionDenied, codes.InvalidArgument, codes.Unimplemented:
		return true
	}
	return false
}

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
