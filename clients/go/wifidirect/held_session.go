package wifidirect

import (
	"context"
	"io"
	"iter"

	"google.golang.org/grpc/codes"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// HeldSession is a session and the stream that holds it. A session without a lease ends when its
// stream ends. Events and WaitOpen read the stream, so only one goroutine at a time may use them.
// Close and Detach are safe for concurrent use.
type HeldSession struct {
	// ID is the id of the session.
	ID string

	sessions *Sessions
	stream   *silenceDetector[*wifidirectv1.OpenSessionResponse]
	detach   context.CancelFunc
	// The first event, until it is returned.
	next *wifidirectv1.SessionEvent
	// The session of the last event that was returned.
	session *wifidirectv1.Session
	// The error or io.EOF that ended the stream.
	end error
}

func hold(
	sessions *Sessions, stream *silenceDetector[*wifidirectv1.OpenSessionResponse], detach context.CancelFunc,
) (*HeldSession, error) {
	held := &HeldSession{sessions: sessions, stream: stream, detach: detach}
	first, err := held.receive()
	if err == io.EOF {
		err = incomplete("an event")
	}
	if err != nil {
		detach()
		return nil, err
	}
	held.ID, held.next = first.GetSession().GetSessionId(), first
	return held, nil
}

// Events iterates over the events of the session as they come. If the loop breaks off, the session
// stays open, and the next call of Events continues there. The iterator ends after CLOSED, or after
// a CANCELLED that a client requested. Otherwise it ends with an error after the last event.
func (h *HeldSession) Events() iter.Seq2[*wifidirectv1.SessionEvent, error] {
	return func(yield func(*wifidirectv1.SessionEvent, error) bool) {
		for {
			event, err := h.read()
			if err == io.EOF || !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// WaitOpen skips events until the session is OPEN, and returns it. If the session ends before,
// WaitOpen returns the error of the stream, or codes.Canceled if the stream ends without an error.
func (h *HeldSession) WaitOpen() (*wifidirectv1.Session, error) {
	for h.session.GetState() != wifidirectv1.SessionState_SESSION_STATE_OPEN {
		_, err := h.read()
		if err == io.EOF {
			err = &Error{Code: codes.Canceled, Message: "the session ended before it was open"}
		}
		if err != nil {
			return nil, err
		}
	}
	return h.session, nil
}

// Close closes the session, or cancels it while it is opening. It returns the session when it has
// ended. The last events can still be read.
func (h *HeldSession) Close(ctx context.Context) (*wifidirectv1.Session, error) {
	closed, err := h.sessions.CloseAndWait(ctx, h.ID)
	return closed.Session, err
}

// Detach ends the stream. A session without a lease then ends. Detach has no effect on a session
// that has ended, and further calls have no effect, so it can be deferred.
func (h *HeldSession) Detach() { h.detach() }

func (h *HeldSession) read() (*wifidirectv1.SessionEvent, error) {
	event := h.next
	h.next = nil
	if event == nil && h.end == nil {
		event, h.end = h.receive()
	}
	if event == nil {
		return nil, h.end
	}
	h.session = event.GetSession()
	return event, nil
}

// receive returns the next event. It skips heartbeats.
func (h *HeldSession) receive() (*wifidirectv1.SessionEvent, error) {
	for {
		response, err := h.stream.Recv()
		if err != nil {
			return nil, err
		}
		if response.GetHostTime() == nil {
			// A host that does not send its time is too old to send heartbeats, so its silence
			// means nothing.
			h.stream.timeout = 0
		}
		if event := response.GetEvent(); event != nil {
			if event.GetSession() == nil {
				return nil, incomplete("the session of an event")
			}
			return event, nil
		}
	}
}
