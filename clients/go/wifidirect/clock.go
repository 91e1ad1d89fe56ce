package wifidirect

import (
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// hostClock is the clock of the host, as its messages tell it; between them it runs on with the monotonic clock. Times of
// sessions are by it, not by the clock here.
type hostClock struct {
	last atomic.Pointer[reading]
}

type reading struct {
	host time.Time
	here time.Time
}

// dated is a message that says when it was sent. Hosts of version 0.1.0 do not.
type dated interface {
	GetHostTime() *timestamppb.Timestamp
}

func (c *hostClock) hear(message any) {
	if dated, is := message.(dated); is && dated.GetHostTime() != nil {
		c.last.Store(&reading{dated.GetHostTime().AsTime(), time.Now()})
	}
}

func (c *hostClock) now() time.Time {
	last := c.last.Load()
	if last == nil {
		return time.Now()
	}
	return last.host.Add(time.Since(last.here))
}

// LeaseLeft tells how long the lease of a session has left, at least 0; false where it has no lease. It is by the clock of
// the host, as its last message told it, whatever the clock here shows.
func (s *Sessions) LeaseLeft(session *wifidirectv1.Session) (left time.Duration, has bool) {
	end := session.GetLeaseExpireTime()
	if end == nil {
		return 0, false
	}
	return max(0, end.AsTime().Sub(s.clock.now())), true
}

// HostNow is the time on the host, by its last message; before any, the time here. Times of sessions are by it.
func (c *Client) HostNow() time.Time { return c.Sessions.clock.now() }
