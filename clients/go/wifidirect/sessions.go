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

// Sessions opens, closes and follows the sessions of one host. What each RPC promises is in session_service.proto.
type Sessions struct {
	client wifidirectv1.SessionServiceClient
	// Done when the client is closed.
	isOpen context.Context
	clock  *hostClock
}

// OpenRequest says what to open. Only DeviceAddress is required.
type OpenRequest struct {
	// DeviceAddress is the P2P device address of a paired device, "aa:bb:cc:dd:ee:ff".
	DeviceAddress string
	// SessionID names the session: 4 to 63 of [a-z0-9-], the first a letter or
	// digit. Default: the host makes a UUID.
	SessionID string
	// Kind is SESSION_KIND_WIFI_DIRECT by default.
	Kind wifidirectv1.SessionKind
	// OpenTimeout is how long the open may take. Default: the host's, 60 s.
	OpenTimeout time.Duration
	// LeaseTTL lets the session outlive its streams by this long: 1 s to 24 h. Default: it ends with them.
	LeaseTTL time.Duration
	// HeartbeatInterval is how often the host gives a sign of life when nothing happens: 1 s to 5 min. Proxies then don't
	// take the stream for dead, and after three intervals of silence it ends with codes.Unavailable. Default 10 s;
	// negative: never.
	HeartbeatInterval time.Duration
	// RequestID is a UUID by which the host knows this request again: opening with it again attaches to the same
	// session. Default: a new one at each call.
	RequestID string
}

// SessionAt is a session, and the cursor at which it was so: a watch from there sees all that came after.
type SessionAt struct {
	Session *wifidirectv1.Session
	Cursor  string
}

// Open opens a session, or attaches to the one that the same RequestID has made. It answers when the host has accepted,
// not when the session is open: see HeldSession.WaitOpen. The end of the context detaches, as Detach does.
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
	heard := &attentive[*wifidirectv1.OpenSessionResponse]{receiver: stream, end: cancel}
	if heartbeat > 0 {
		heard.patience = patience(heartbeat)
	}
	return hold(s, heard, cancel)
}

// Close closes an open session, and cancels one that is opening. It answers when that is under way.
func (s *Sessions) Close(ctx context.Context, sessionID string) (SessionAt, error) {
	request := &wifidirectv1.CloseSessionRequest{SessionId: sessionID, RequestId: newRequestID()}
	return shown(s.client.CloseSession(ctx, request))
}

// CloseAndWait closes the session, and answers when it has ended. It has no deadline but that of the context.
func (s *Sessions) CloseAndWait(ctx context.Context, sessionID string) (SessionAt, error) {
	request := &wifidirectv1.CloseSessionRequest{
		SessionId: sessionID, WaitForDisconnect: true, RequestId: newRequestID(),
	}
	return shown(s.client.CloseSession(ctx, request, within{}))
}

// Cancel stops a pending open. Its end, CANCELLED or, if the open wins the race, CLOSED, is an event.
func (s *Sessions) Cancel(ctx context.Context, sessionID string) (SessionAt, error) {
	request := &wifidirectv1.CancelOpenSessionRequest{SessionId: sessionID, RequestId: newRequestID()}
	return shown(s.client.CancelOpenSession(ctx, request))
}

// Renew extends a lease: it then lapses so long from now; 0: by the time that the session has.
func (s *Sessions) Renew(ctx context.Context, sessionID string, leaseTTL time.Duration) (SessionAt, error) {
	request := &wifidirectv1.RenewSessionRequest{
		SessionId: sessionID, LeaseTtl: optional(leaseTTL), RequestId: newRequestID(),
	}
	return shown(s.client.RenewSession(ctx, request))
}

// Get shows one session, also for a while after its end.
func (s *Sessions) Get(ctx context.Context, sessionID string) (SessionAt, error) {
	return shown(s.client.GetSession(ctx, &wifidirectv1.GetSessionRequest{SessionId: sessionID}))
}

// ListOptions choose what List shows; the zero value is every session.
type ListOptions struct {
	// States: only sessions in one of these.
	States []wifidirectv1.SessionState
	// DeviceAddress: only sessions to this device.
	DeviceAddress string
	// PageSize is how many to ask for at once: 1 to 1000. Default 50.
	PageSize int32
}

// List goes through the sessions, oldest first, and asks for them page by page. It ends after an error.
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

// WatchOptions choose what Watch shows; the zero value is every session, from now.
type WatchOptions struct {
	// Cursor: resume after it. Default: from now, after a snapshot.
	Cursor string
	// SessionIDs: only these. Default: all that the caller may see.
	SessionIDs []string
	// BookmarkInterval is how long a silence lasts before a bookmark comes: 1 s to 5 min. Default 10 s.
	BookmarkInterval time.Duration
	Backoff          Backoff
}

// Items of a watch of sessions, beside Bookmark and Disconnected.
type (
	SessionSnapshot = Snapshot[*wifidirectv1.Session]
	SessionChange   = Change[*wifidirectv1.SessionEvent]
)

// Watch follows sessions: a SessionSnapshot, unless there is a cursor, then each SessionChange, in order, none twice,
// whatever happens to the connection, with Bookmark and Disconnected between them. A stream that breaks, or brings nothing
// for three bookmark intervals, is attached again. It ends with an error when the
// context ends, when the client is closed, and where trying again can't help: Unauthenticated, PermissionDenied,
// InvalidArgument, Unimplemented.
func (s *Sessions) Watch(ctx context.Context, options WatchOptions) iter.Seq2[WatchItem, error] {
	attach := func(ctx context.Context, cursor string) (receiver[*wifidirectv1.WatchSessionsResponse], error) {
		return s.client.WatchSessions(ctx, &wifidirectv1.WatchSessionsRequest{
			Cursor:           cursor,
			SessionIds:       options.SessionIDs,
			BookmarkInterval: optional(options.BookmarkInterval),
		})
	}
	return watch(ctx, s.isOpen, attach, start{options.Cursor, options.BookmarkInterval, options.Backoff})
}

func shown[Response interface {
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

// optional leaves 0 unset: the host has a default.
func optional(duration time.Duration) *durationpb.Duration {
	if duration == 0 {
		return nil
	}
	return durationpb.New(duration)
}

// newRequestID makes a random UUID (RFC 9562, version 4).
func newRequestID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // Never fails.
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
