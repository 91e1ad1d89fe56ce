package wifidirect

import (
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
)

const (
	// How often a host sends something if there are no events: a heartbeat of a session, or a
	// bookmark of a watch.
	intervalDefault = 10 * time.Second
	// The number of intervals without a message after which the host counts as dead.
	intervalsMax = 3
)

// silenceTimeout returns how long to wait for a message if one must come in each interval.
func silenceTimeout(interval time.Duration) time.Duration {
	if interval == 0 {
		interval = intervalDefault
	}
	return intervalsMax * interval
}

// receiver is a stream of responses.
type receiver[Response any] interface{ Recv() (Response, error) }

// silenceDetector is a receiver that ends the stream if no message comes in time. It detects a host
// that is dead behind a proxy that is not.
type silenceDetector[Response any] struct {
	receiver[Response]
	// 0 means no timeout.
	timeout time.Duration
	end     func()
	// The length of the silence that ended the stream; 0 if none did.
	silence atomic.Int64
}

func (d *silenceDetector[Response]) Recv() (Response, error) {
	if d.timeout == 0 {
		return d.receiver.Recv()
	}
	timer := time.AfterFunc(d.timeout, func() {
		d.silence.Store(int64(d.timeout))
		d.end()
	})
	response, err := d.receiver.Recv()
	timer.Stop()
	if silence := time.Duration(d.silence.Load()); err != nil && silence > 0 {
		err = &Error{Code: codes.Unavailable, Message: fmt.Sprintf("the host has been silent for %v", silence)}
	}
	return response, err
}
