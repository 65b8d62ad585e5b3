package fasthttp

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/valyala/fasthttp/internal/window"
)

// This file has what the contexts of the callers of Shutdown leave for a drain.

// deadlineOf is how long a caller of Shutdown waits: zero if there is no end.
func deadlineOf(ctx context.Context) time.Time {
	t, _ := ctx.Deadline()
	return t
}

// deadline is the last of those of the contexts of Shutdown; ok is false if one of
// them has none. Call with mu held.
func (d *drain) deadline() (last time.Time, ok bool) {
	for _, t := range d.waiters {
		if t.IsZero() {
			return time.Time{}, false
		}
		if t.After(last) {
			last = t
		}
	}
	return last, true
}

// leave takes a caller of Shutdown out of a drain and says whether it was the
// last one, in which case the drain gives up. What is left of the drain takes the
// time that the others have.
func (d *drain) leave(deadline time.Time) (last bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiters) > 1 {
		i := slices.Index(d.waiters, deadline)
		d.waiters = slices.Delete(d.waiters, i, i+1)
		return false
	}
	if d.gaveUp {
		return false
	}
	d.gaveUp = true
	close(d.giveUp)
	return true
}

// sleep waits, or less if the drain gives up.
func (d *drain) sleep(t time.Duration) {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.giveUp:
	}
}

func (d *drain) givenUp() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gaveUp
}

// contextLeft is what the contexts of Shutdown leave from a moment on.
func (d *drain) contextLeft(from time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if deadline, ok := d.deadline(); ok {
		return deadline.Sub(from)
	}
	return window.Unlimited
}

// fits is how much of t a window of a single connection lasts that begins now: half
// of what the context leaves at most, as a response, a close and a linger follow.
func (d *drain) fits(t time.Duration) time.Duration {
	return min(t, d.contextRest()/2)
}

// rest is how much of t what follows a window may take, if it begins now.
func (d *drain) rest(t time.Duration) time.Duration {
	return min(t, d.contextRest())
}

// contextRest is what is left of the context for what follows a window, or for a
// close before the stop, of a lame duck.
func (d *drain) contextRest() time.Duration {
	from := time.Now()
	if d.mode.Load() >= modeStopped {
		from = d.stopAt
	}
	return window.Rest(time.Since(from), d.contextLeft(from))
}

// afterStop is a time after a drain's stop, in steps of 100 us and to 4 days: a
// record holds two, and fits two cache lines. Zero means none, one the stop.
type afterStop uint32

const afterStopStep = 100 * time.Microsecond

func (d *drain) afterStop(t time.Time) afterStop {
	return afterStop(min(max(0, t.Sub(d.stopAt)/afterStopStep)+1, math.MaxUint32))
}

func (d *drain) at(t afterStop) time.Time {
	return d.stopAt.Add(time.Duration(t-1) * afterStopStep)
}

// moment is how long code of the application is waited for where nothing can be
// waited for any longer.
const moment = 15 * time.Millisecond

// within waits for something, and says whether it came in time.
func within(t time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
