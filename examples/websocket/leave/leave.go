// Package leave closes WebSockets in order when their server stops: each peer is
// told to go away, at a moment of its own, and has time to say goodbye. Copy it into
// your service.
package leave

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
)

// Pace says how fast the connections of a server leave.
type Pace struct {
	// Spread is the time after the stop in which they are told, each at random, so
	// that their clients do not all come back at once.
	Spread time.Duration

	// Answer is how long each then has for its close frame.
	Answer time.Duration
}

// Longest is how long it takes at most until the last has left, with a second for the
// machine: what Drain.Hijacked has to be.
func (p Pace) Longest() time.Duration { return p.Spread + p.Answer + time.Second }

// AtStop sends a close frame with the code 1001, going away, when done has closed,
// the RequestCtx.Done of the request that was upgraded. The handler of the connection
// has to go on reading until an error, so that it sees the peer's close frame. If that
// does not come in time, its Read fails.
//
// The handler has to call the function that AtStop returns before it returns itself, as
// the server takes the connection for another one then:
//
//	defer leave.AtStop(conn, done, pace)()
func AtStop(conn *websocket.Conn, done <-chan struct{}, p Pace) (ended func()) {
	var leaving sync.WaitGroup
	gone := make(chan struct{})
	leaving.Go(func() {
		select {
		case <-done:
		case <-gone:
			return
		}
		if within(rand.N(p.Spread+1), gone) {
			return
		}
		deadline := time.Now().Add(p.Answer)
		text := websocket.FormatCloseMessage(websocket.CloseGoingAway, "the server stops")
		err := conn.WriteControl(websocket.CloseMessage, text, deadline)
		if (err == nil || errors.Is(err, websocket.ErrCloseSent)) && within(time.Until(deadline), gone) {
			return
		}
		// Close would do nothing before the handler has returned.
		_ = conn.NetConn().SetDeadline(time.Now())
	})
	return func() {
		close(gone)
		leaving.Wait()
	}
}

// within says whether a channel closes in a time.
func within(t time.Duration, closed <-chan struct{}) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-closed:
		return true
	case <-timer.C:
		return false
	}
}
