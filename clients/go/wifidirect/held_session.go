package wifidirect

import (
	"context"
	"io"
	"iter"

	"google.golang.org/grpc/codes"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// HeldSession is a session and the stream that holds it: without a lease, the session ends when the stream does. Events
// and WaitOpen read the stream, so one goroutine at a time may use them; Close and Detach may be called from any.
type HeldSession struct {
	// ID is the name of the session.
	ID string

	sessions *Sessions
	stream   *attentive[*wifidirectv1.OpenSessionResponse]
	detach   context.CancelFunc
	// Read ahead, and not given out yet.
	next *wifidirectv1.SessionEvent
	// As of the last event that was given out.
	session *wifidirectv1.Session
	// What the stream has ended with.
	end error
}

func hold(
	sessions *Sessions, stream *attentive[*wifidirectv1.OpenSessionResponse], detach context.CancelFunc,
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

// Events goes through the events of the session that were not given out yet, as they come. Breaking off keeps the
// session: the next Events goes on from there. It ends after CLOSED, and after a CANCELLED that was asked for; else
// with an error, after the last event.
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

// WaitOpen passes over events until the session is OPEN, and answers with it. If it ends before, the error is the one
// that the stream ends with, or codes.Canceled where it ends well.
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

// Close closes the session (cancels it, while it is opening), and answers with it when it has ended. The events of the
// end can still be read.
func (h *HeldSession) Close(ctx context.Context) (*wifidirectv1.Session, error) {
	closed, err := h.sessions.CloseAndWait(ctx, h.ID)
	return closed.Session, err
}

// Detach lets go of the stream. A session without a lease then ends; one that has ended is not touched. Harmless to
// repeat: defer it.
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

// receive passes over signs of life.
func (h *HeldSession) receive() (*wifidirectv1.SessionEvent, error) {
	for {
		response, err := h.stream.Recv()
		if err != nil {
			return nil, err
		}
		if response.GetHostTime() == nil {
			// A host that does not date its messages sends no signs of life either: its silence means nothing.
			h.stream.patience = 0
		}
		if event := response.GetEvent(); event != nil {
			if event.GetSession() == nil {
				return nil, incomplete("the session of an event")
			}
			return event, nil
		}
	}
}
