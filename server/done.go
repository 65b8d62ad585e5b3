package fasthttp

import (
	"slices"
	"time"
)

// doneBound is when, after the stop, RequestCtx.Done of the requests that began
// after it is closed if a caller of Shutdown waits for ever, as nothing else ends
// a handler that waits for it: two thirds of the grace period that Kubernetes
// gives a pod by default.
const doneBound = 20 * time.Second

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

// waitsForever says whether a caller of Shutdown does.
func (d *drain) waitsForever() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.waiters, func(w patience) bool { return w.eternal })
}
