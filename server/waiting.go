package fasthttp

import "time"

// This file has the connections' side of the window, on the goroutine that serves one:
// how it waits for a request in a drain, and is counted. How long that is, and the
// closes, are the drain's: see window.go.
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

// goWaiting counts a connection that comes to wait for a request after the stop.
func (dc *drainConn) goWaiting() {
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	dc.countWaiting()
}

// countWaiting counts a connection that waits for a request in its drain, which may be
// an earlier one. Call with shard.mu held.
func (dc *drainConn) countWaiting() {
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
	if dc.cut != cutNot && use {
		dc.cut = cutForced
	}
	return dc.cut != cutNot
}

// waitOn says until when a wait that has been interrupted goes on: to the end of
// the connection's own window, or without a deadline, parked, until the drain wakes
// it. on is false if both windows are over.
func (dc *drainConn) waitOn() (deadline time.Time, on bool) {
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	dc.awaitWaker()
	if dc.window != 0 && time.Now().Before(dc.windowEnd()) {
		return dc.windowEnd(), true
	}
	if dc.parked = !dc.d.over.Load(); dc.parked {
		dc.window = 0
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
