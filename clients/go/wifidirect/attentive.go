package wifidirect

import (
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
)

const (
	// How often a host gives a sign of life in silence: a heartbeat of a session, a bookmark of a watch.
	intervalDefault = 10 * time.Second
	// A host that promised a message in each interval is taken for dead after so many without one.
	intervalsMax = 3
)

// patience is how long a message is waited for, where one is to come in each interval.
func patience(interval time.Duration) time.Duration {
	if interval == 0 {
		interval = intervalDefault
	}
	return intervalsMax * interval
}

// receiver is a stream of responses.
type receiver[Response any] interface{ Recv() (Response, error) }

// attentive is a receiver that ends the stream where nothing is heard: a host may be dead while a proxy before it lives.
type attentive[Response any] struct {
	receiver[Response]
	// 0: as long as it takes.
	patience time.Duration
	end      func()
	// For how long; 0: it was not.
	wasSilent atomic.Int64
}

func (a *attentive[Response]) Recv() (Response, error) {
	if a.patience == 0 {
		return a.receiver.Recv()
	}
	timer := time.AfterFunc(a.patience, func() {
		a.wasSilent.Store(int64(a.patience))
		a.end()
	})
	response, err := a.receiver.Recv()
	timer.Stop()
	if silent := time.Duration(a.wasSilent.Load()); err != nil && silent > 0 {
		err = &Error{Code: codes.Unavailable, Message: fmt.Sprintf("nothing was heard from the host for %v", silent)}
	}
	return response, err
}
