package fasthttp

import (
	"context"
	"errors"
	"testing"
	"time"
)

func isDone(ctx *RequestCtx) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// RequestCtx.Done is closed at the stop for the requests that run then. For one
// that begins later it is closed only at the end of Shutdown's context: a
// handler that passes it on must be able to serve it.
func TestDoneOfAFinalRequest(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		var r *drainRig
		running := make(chan struct{})
		late := make(chan bool, 4)
		lateEnded := make(chan struct{})
		r = startDrainRig(t, k, &Server{
			Drain: Drain{FinalRead: 5 * time.Second},
			Handler: func(ctx *RequestCtx) {
				switch string(ctx.Path()) {
				case "/running":
					close(running)
					select {
					case <-ctx.Done():
					case <-time.After(drainBound):
						ctx.SetStatusCode(StatusTeapot)
					}
				case "/late":
					late <- isDone(ctx)
				case "/until-the-end":
					late <- isDone(ctx)
					select {
					case <-ctx.Done():
						close(lateEnded)
					case <-time.After(drainBound):
					}
				}
			},
		})
		idle := r.dialIdle()
		fresh := r.dial()
		awaitReading(r, 2)
		active := r.dial()
		active.get("/running")
		r.await("the handler", running)

		ctx, cancel := context.WithCancel(r.ctx)
		defer cancel()
		call := r.stopWith(ctx)
		active.wantCode(StatusOK, keepAlive)
		r.awaitTrue("all have seen the stop", func() bool { return r.s.ConnStats().StopSeen == 3 })
		for _, c := range []*drainClient{idle, fresh} {
			c.get("/late")
			c.wantCode(StatusOK, saysClose)
			if <-late {
				t.Errorf("Done of a request that began after the stop is closed from the start")
			}
		}
		active.get("/until-the-end")
		if <-late {
			t.Errorf("Done of the second request of a connection is closed from the start")
		}
		cancel()
		r.await("Done to be closed at the end of Shutdown's context", lateEnded)
		active.wantCode(StatusOK, saysClose)
		if err := call.wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown returned %v, want the error of its context", err)
		}
	})
}

// Connections in the accept queue at the stop get a Done of their own too.
func TestDoneOfARequestFromTheAcceptQueue(t *testing.T) {
	done := make(chan bool, 1)
	s := &Server{Drain: Drain{FinalRead: 5 * time.Second}, Handler: func(ctx *RequestCtx) { done <- isDone(ctx) }}
	held, release := holdAccepting(s, 1)
	r := startDrainRig(t, drainKind{net: "tcp"}, s)
	first := r.dial()
	r.await("the first connection", held)
	queued := r.dial()
	call := r.stop()
	close(release)
	_ = first.c.Close()
	queued.get("/queued")
	queued.wantCode(StatusOK, saysClose)
	if <-done {
		t.Errorf("Done of a request from the accept queue is closed from the start")
	}
	_ = queued.c.Close()
	call.wantNil()
}
