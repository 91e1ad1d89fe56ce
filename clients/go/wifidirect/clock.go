package wifidirect

import (
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// hostClock estimates the host's clock: the time of its last message plus the monotonic time since
// then. The times of sessions are on the host's clock, not on the clock of this machine.
type hostClock struct {
	last atomic.Pointer[reading]
}

type reading struct {
	host time.Time
	here time.Time
}

// dated is a message that contains the time when it was sent. Hosts of version 0.1.0 do not send
// it.
type dated interface {
	GetHostTime() *timestamppb.Timestamp
}

func (c *hostClock) observe(message any) {
	if dated, ok := message.(dated); ok && dated.GetHostTime() != nil {
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

// LeaseLeft returns the time left of the lease of a session, at least 0. ok is false if the session
// has no lease. It uses the host's clock, because the clock of this machine may differ.
func (s *Sessions) LeaseLeft(session *wifidirectv1.Session) (left time.Duration, ok bool) {
	end := session.GetLeaseExpireTime()
	if end == nil {
		return 0, false
	}
	return max(0, end.AsTime().Sub(s.clock.now())), true
}

// HostNow returns the current time on the host's clock, to which the times of sessions refer.
// Before the first message of the host it returns the time of this machine.
func (c *Client) HostNow() time.Time { return c.Sessions.clock.now() }
