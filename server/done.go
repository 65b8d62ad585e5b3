package fasthttp

import (
	"time"

	"github.com/valyala/fasthttp/internal/window"
)

// doneBound is when, after the stop, RequestCtx.Done of the requests that began
// after it is closed if a context of Shutdown has no deadline, as nothing else ends
// a handler that waits for it: two thirds of the grace period that Kubernetes
// gives a pod by default.
const doneBound = 20 * time.Second

// doneShare is the part of what the context left at the stop that is left when Done
// of those requests closes, if it has a deadline. A stream that ends with Done, and
// whose client came back on its connection in the window, would hold the drain to
// its end otherwise, at every deploy.
const doneShare = 4

// bindDone gives a ctx the Done of the connection's current request. It keeps
// that from request to request.
func (dc *drainConn) bindDone(ctx *RequestCtx) {
	done := &dc.d.done
	if dc.lateDone {
		done = &dc.d.lateDone
	}
	if ctx.done.Load() != done {
		ctx.done.Store(done)
	}
}

// closeLateDone closes RequestCtx.Done of the requests that began after the
// stop, unless it is. Only the drain's goroutine calls it.
func (d *drain) closeLateDone() {
	select {
	case <-d.lateDone:
	default:
		close(d.lateDone)
	}
}

// lateDoneIn is how long after the stop that is to happen.
func (d *drain) lateDoneIn() time.Duration {
	left := d.contextLeft(d.stopAt)
	if left == window.Unlimited {
		return doneBound
	}
	return left - left/doneShare
}
