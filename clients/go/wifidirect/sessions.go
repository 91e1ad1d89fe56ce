package wifidirect

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// Sessions opens, closes and watches the sessions of one host. session_service.proto documents each
// RPC.
type Sessions struct {
	client wifidirectv1.SessionServiceClient
	// Done when the client is closed.
	clientCtx context.Context
	clock     *hostClock
}

// OpenRequest describes the session to open. Only DeviceAddress is required.
type OpenRequest struct {
	// DeviceAddress is the P2P device address of a paired device, "aa:bb:cc:dd:ee:ff".
	DeviceAddress string
	// SessionID is the id of the session: 4 to 63 of [a-z0-9-], starting with a letter or digit.
	// Default: the host makes a UUID.
	SessionID string
	// Kind is SESSION_KIND_WIFI_DIRECT by default.
	Kind wifidirectv1.SessionKind
	// OpenTimeout is how long the open may take. Default: set by the host, 60 s.
	OpenTimeout time.Duration
	// LeaseTTL gives the session a lease of 1 s to 24 h, so that it survives the end of its streams
	// for this time. Default: no lease; the session ends with its last stream.
	LeaseTTL time.Duration
	// HeartbeatInterval is how often the host sends a heartbeat if it has nothing else to send: 1 s
	// to 5 min. Heartbeats keep proxies from closing an idle stream. After three intervals of
	// silence the stream ends with codes.Unavailable. Default 10 s. Negative: no heartbeats.
	HeartbeatInterval time.Duration
	// RequestID is a UUID by which the host recognizes a repeated request: opening with it again
	// attaches to the same session. Default: a new one for each call.
	RequestID string
}

// SessionAt is a session and a cursor. A watch from this cursor gets every event after this state
// of the session.
type SessionAt struct {
	Session *wifidirectv1.Session
	Cursor  string
}

// Open opens a session, or attaches to the session that the same RequestID has opened. It returns
// when the host has accepted the request; to wait until the session is open, use
// HeldSession.WaitOpen. When the context ends, the session is detached, as by Detach.
func (s *Sessions) Open(ctx context.Context, request OpenRequest) (*HeldSession, error) {
	if request.RequestID == "" {
		request.RequestID = newRequestID()
	}
	heartbeat := request.HeartbeatInterval
	if heartbeat == 0 {
		heartbeat = intervalDefault
	}
	heartbeat = max(0, heartbeat)
	ctx, cancel := context.WithCancel(ctx)
	stream, err := s.client.OpenSession(ctx, &wifidirectv1.OpenSessionRequest{
		SessionId:         request.SessionID,
		DeviceAddress:     request.DeviceAddress,
		Kind:              request.Kind,
		OpenTimeout:       optional(request.OpenTimeout),
		LeaseTtl:          optional(request.LeaseTTL),
		HeartbeatInterval: optional(heartbeat),
		RequestId:         request.RequestID,
	})
	if err != nil {
		cancel()
		return nil, err
	}
	receiver := &silenceDetector[*wifidirectv1.OpenSessionResponse]{receiver: stream, end: cancel}
	if heartbeat > 0 {
		receiver.timeout = silenceTimeout(heartbeat)
	}
	return hold(s, receiver, cancel)
}

// Close closes an open session, or cancels one that is opening. It returns before the session has
// ended.
func (s *Sessions) Close(ctx context.Context, sessionID string) (SessionAt, error) {
	request := &wifidirectv1.CloseSessionRequest{SessionId: sessionID, RequestId: newRequestID()}
	return sessionAt(s.client.CloseSession(ctx, request))
}

// CloseAndWait closes the session and returns when it has ended. Only the context bounds it.
func (s *Sessions) CloseAndWait(ctx context.Context, sessionID string) (SessionAt, error) {
	request := &wifidirectv1.CloseSessionRequest{
		SessionId: sessionID, WaitForDisconnect: true, RequestId: newRequestID(),
	}
	return sessionAt(s.client.CloseSession(ctx, request, within{}))
}

// Cancel cancels a pending open. It returns before the session ends. The last event is CANCELLED,
// or CLOSED if the open succeeded first.
func (s *Sessions) Cancel(ctx context.Context, sessionID string) (SessionAt, error) {
	request := &wifidirectv1.CancelOpenSessionRequest{SessionId: sessionID, RequestId: newRequestID()}
	return sessionAt(s.client.CancelOpenSession(ctx, request))
}

// Renew renews the lease of a session, which then expires leaseTTL from now. 0 means the length of
// the current lease.
func (s *Sessions) Renew(ctx context.Context, sessionID string, leaseTTL time.Duration) (SessionAt, error) {
	request := &wifidirectv1.RenewSessionRequest{
		SessionId: sessionID, LeaseTtl: optional(leaseTTL), RequestId: newRequestID(),
	}
	return sessionAt(s.client.RenewSession(ctx, request))
}

// Get returns one session. The host keeps sessions for a while after their end.
func (s *Sessions) Get(ctx context.Context, sessionID string) (SessionAt, error) {
	return sessionAt(s.client.GetSession(ctx, &wifidirectv1.GetSessionRequest{SessionId: sessionID}))
}

// ListOptions select sessions for List. The zero value selects every session.
type ListOptions struct {
	// States selects sessions in one of these states. Default: all states.
	States []wifidirectv1.SessionState
	// DeviceAddress selects sessions with this device. Default: all devices.
	DeviceAddress string
	// PageSize is the number of sessions per request: 1 to 1000. Default 50.
	PageSize int32
}

// List iterates over the sessions, oldest first. It requests them page by page, and stops after an
// error.
func (s *Sessions) List(ctx context.Context, options ListOptions) iter.Seq2[*wifidirectv1.Session, error] {
	return pages(func(token string) ([]*wifidirectv1.Session, string, error) {
		response, err := s.client.ListSessions(ctx, &wifidirectv1.ListSessionsRequest{
			PageSize:      options.PageSize,
			PageToken:     token,
			States:        options.States,
			DeviceAddress: options.DeviceAddress,
		})
		return response.GetSessions(), response.GetNextPageToken(), err
	})
}

// WatchOptions select events for Watch. The zero value selects every session, from now.
type WatchOptions struct {
	// Cursor is where to resume. Default: start now, with a snapshot.
	Cursor string
	// SessionIDs selects these sessions. Default: all sessions that the caller may see.
	SessionIDs []string
	// BookmarkInterval is how often the host sends a bookmark if there are no events: 1 s to 5 min.
	// Default 10 s.
	BookmarkInterval time.Duration
	Backoff          Backoff
}

// SessionSnapshot and SessionChange are items of a watch of sessions, as are Bookmark and
// Disconnected.
type (
	SessionSnapshot = Snapshot[*wifidirectv1.Session]
	SessionChange   = Change[*wifidirectv1.SessionEvent]
)

// Watch iterates over what happens to sessions. It yields a SessionSnapshot, unless there is a
// cursor, and then every SessionChange, in order and once, with Bookmark and Disconnected between
// them. It reconnects when the stream breaks, or is silent for three bookmark intervals.
//
// Watch ends with an error when the context ends, when the client is closed, and if a retry can't
// help: with Unauthenticated, PermissionDenied, InvalidArgument or Unimplemented.
func (s *Sessions) Watch(ctx context.Context, options WatchOptions) iter.Seq2[WatchItem, error] {
	attach := func(ctx context.Context, cursor string) (receiver[*wifidirectv1.WatchSessionsResponse], error) {
		return s.client.WatchSessions(ctx, &wifidirectv1.WatchSessionsRequest{
			Cursor:           cursor,
			SessionIds:       options.SessionIDs,
			BookmarkInterval: optional(options.BookmarkInterval),
		})
	}
	return watch(ctx, s.clientCtx, attach, start{options.Cursor, options.BookmarkInterval, options.Backoff})
}

func sessionAt[Response interface {
	GetSession() *wifidirectv1.Session
	GetCursor() string
}](response Response, err error) (SessionAt, error) {
	if err == nil && response.GetSession() == nil {
		err = incomplete("the session")
	}
	return SessionAt{response.GetSession(), response.GetCursor()}, err
}

func pages[Thing any](ask func(token string) ([]Thing, string, error)) iter.Seq2[Thing, error] {
	return func(yield func(Thing, error) bool) {
		for token := ""; ; {
			things, next, err := ask(token)
			if err != nil {
				var none Thing
				yield(none, err)
				return
			}
			for _, thing := range things {
				if !yield(thing, nil) {
					return
				}
			}
			if token = next; token == "" {
				return
			}
		}
	}
}

// optional returns nil for 0, so that the host uses its default.
func optional(duration time.Duration) *durationpb.Duration {
	if duration == 0 {
		return nil
	}
	return durationpb.New(duration)
}

// newRequestID returns a random UUID (RFC 9562, version 4).
func newRequestID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // Never fails.
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
