package fasthttp

import (
	"time"

	"github.com/valyala/fasthttp/internal/window"
)

// This file has the window of the connections that wait for a request: how they
// are counted, how long they are kept, and how they are closed.
//
// A connection that waited at the stop is parked: it waits without a deadline
// until the drain's window ends. One that comes to wait after it, as its request
// was running or it was accepted from a queue, has a window of its own first, and
// is parked if the drain's is still open then.
//
// Who owns what: waits, used and parked of a record are guarded by its shard's mu,
// waiting and uses of the drain are atomics and change with them. over and closedBy
// belong to the goroutine of runWindow, which sets closedBy first, then over, and
// then wakes what is parked. A loop that parks marks its record, takes back its
// deadline, and then loads over: one of the two sees the other, so no wake is
// lost. A loop that goes on, with a request or with its last look, takes its mark back
// under mu before it sets a deadline of its own, so no wake lands on either.

// windowPause is the least pause between two closes at the end of a window: what
// is due by then is closed at once. A timer is not more exact.
const windowPause = time.Millisecond

// windowReport is how the window of what waited ended; guarded by drain.mu.
type windowReport struct {
	reason window.Reason
	took   time.Duration
}

// runWindow keeps what waits as long as requests come (see internal/window), and
// closes it then. It runs from the stop to the end of the drain.
func (s *Server) runWindow(d *drain) {
	defer close(d.windowEnded)
	if d.finalRead == 0 {
		return // it was over at the stop
	}
	w := window.New(d.set.FinalRead)
	waited := time.Duration(0) // when something was seen to wait
	for {
		now := window.Look{
			Elapsed: time.Since(d.stopAt),
			Left:    d.contextLeft(d.stopAt),
			Uses:    int(d.uses.Load()),
			Waiting: int(d.waiting.Load()),
		}
		if now.Waiting > 0 {
			waited = now.Elapsed
		}
		reason, next := w.Look(now)
		if next > 0 && d.windowSleep(next) {
			continue
		}
		if next > 0 && d.givenUp() {
			reason = window.Context
		} else if next > 0 {
			reason = window.Empty // nothing is left
		}
		pace := w.Pace(now.Waiting, now.Left)
		d.closedBy = time.Now().Add(time.Duration(now.Waiting) * pace)
		d.mu.Lock()
		if reason != window.Empty {
			waited = time.Since(d.stopAt)
		}
		d.window = windowReport{reason, waited}
		d.mu.Unlock()
		d.over.Store(true)
		s.wakeParked(d, pace)
		return
	}
}

// windowSleep waits, and says whether the drain goes on.
func (d *drain) windowSleep(t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.windowQuit:
		return false
	}
}

// wakeParked wakes what is parked, for its last look, one connection every pace.
func (s *Server) wakeParked(d *drain, pace time.Duration) {
	begun, woken := time.Now(), 0
	wake := func(sh *connShard) (all bool) {
		sh.mu.Lock()
		defer sh.mu.Unlock()
		for dc := sh.first; dc != nil; dc = dc.next {
			switch {
			case !dc.parked, dc.patient(time.Now()):
			case pace > 0 && time.Duration(woken)*pace > time.Since(begun):
				return false
			default:
				dc.parked = false
				woken++
				if d.pauseWake != nil {
					d.pauseWake()
				}
				dc.interrupt()
			}
		}
		return true
	}
	t := s.connTable()
	for i := range t.shards {
		for !wake(&t.shards[i]) {
			if !d.windowSleep(windowPause) {
				pace = 0
			}
		}
	}
}

// endPatience says whether to close a connection that was left alone at the end of the
// window: from outside, as upstream does. What its Read would make of a timeout
// nobody knows. Call with shard.mu held.
func (dc *drainConn) endPatience(now time.Time) bool {
	return dc.parked && !dc.aborted && dc.d.over.Load() && dc.unknownNew() && !dc.patient(now)
}

// goWaiting counts a connection that comes to wait for a request after the stop.
func (dc *drainConn) goWaiting() {
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	if !dc.waits {
		dc.waits = true
		dc.d.waiting.Add(1)
	}
}

// parkAlone parks a connection of an unknown type that has come to its first wait
// after the stop: see patient.
func (dc *drainConn) parkAlone() {
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	dc.parked = true
}

// endWaiting is the end of a wait, with a request or without. It says whether the
// drain has closed the connection from outside: what a Read returns then, of a pipe
// or of a wrapper that holds bytes, is not served, as it could not be answered.
func (dc *drainConn) endWaiting(use bool) (shut bool) {
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	dc.awaitWaker()
	if dc.waits {
		dc.waits = false
		dc.d.waiting.Add(-1)
		if use && !dc.used {
			dc.used = true
			dc.d.uses.Add(1)
		}
	}
	dc.parked = false
	dc.forced = dc.forced || dc.aborted && use
	return dc.aborted
}

// waitOn says until when a wait that has been interrupted goes on: to the end of
// the connection's own window, or without a deadline, parked, until the drain wakes
// it. on is false if both windows are over.
func (dc *drainConn) waitOn() (deadline time.Time, on bool) {
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	dc.awaitWaker()
	if dc.windowOpen && time.Now().Before(dc.windowEnd()) {
		return dc.windowEnd(), true
	}
	if dc.parked = !dc.d.over.Load(); dc.parked {
		dc.windowOpen = false
	}
	return zeroTime, dc.parked
}

// unpark takes the mark back before a last look. Without that a loop that parks at the
// very end of the window would look first and be woken after: the read of what it has
// seen would time out, and a request that is there would be lost.
func (dc *drainConn) unpark() {
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	dc.parked = false
	dc.awaitWaker()
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
