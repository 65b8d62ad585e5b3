// Package window decides how long a server that stops keeps the connections that
// wait for a request, and how it closes them.
//
// Closing a connection at an arbitrary moment loses the request that is on its
// way: one that was sent before the server's FIN reached its client. So closing
// all of them at a time t loses about
//
//	round trip x (first uses a second of those that wait at t)
//
// requests. That is a rate, and no share of those that wait: a thousand silent
// connections cost nothing, and ten busy ones among them cost what they cost
// alone. So the window lasts while requests still come, as each of them takes
// its connection out (its response says 'Connection: close'), and ends when that
// has gone quiet.
//
// The package has no clock, no goroutine and no connection: the drain says what
// it sees, and is told what to do. So the rule can be tried in fake time, and
// the simulation (make window) runs this very code; docs/window.md has its
// figures.
package window

import (
	"math"
	"time"
)

// The parameters of the rule. Whoever changes one should run make window, which
// says what it costs: requests lost against the time of the stop.
const (
	// Interval is the time between two looks. It is what a window that could
	// end lasts too long at most, and 20 looks a second are nothing beside
	// what a drain does.
	Interval = 50 * time.Millisecond

	// least is how long connections are kept in any case: those of busy
	// clients, whose pauses are shorter, have all been used by then. It is also
	// all that connections cost which are never used, such as a browser's.
	least = 500 * time.Millisecond

	// memory is the time over which uses are counted. A client that pauses for
	// longer is waited for only if others are not: with pauses of 0.2 to 1.5 s
	// and many clients there is no second without a use until all are through.
	memory = time.Second

	// rareFrom and rareShare let go of clients that would take longer than is
	// left: from rareFrom on the window also ends when fewer than one in
	// rareShare of the waiting is used a second. With exponential pauses of
	// mean m that is one in m a second, however long one waits, so with a mean
	// above 4 s a third second takes less than a quarter off the loss. Before
	// rareFrom a share must not decide: a busy minority of 500 among 9,500
	// silent ones is a small share, and loses 9 requests a stop if it does.
	rareFrom  = 2 * time.Second
	rareShare = 4

	// most ends the window. Many platforms kill 5 s after their signal (so does
	// upstream's own prefork with its children), and the pacing, the linger and
	// requests that still run need the rest.
	most = 3 * time.Second
)

// How a window fits into what the context of Shutdown leaves at the stop.
const (
	// windowShare is the window's part at most: one in windowShare.
	windowShare = 2

	// paceShare is the part of the closes at its end, one in paceShare, but no
	// more than paceMost: a longer pause between them has no use, and the rest
	// of the drain waits for the last one.
	paceShare = 8
	paceMost  = 200 * time.Millisecond

	// pace is the time from one close to the next where that takes less. It
	// keeps the FINs of thousands of connections, and the reconnects that
	// answer them, from coming at one instant. It is short because pauses
	// between the closes lose requests in front of pools, which put their next
	// one on whatever is still open: with 16 pools of 64 and 5 requests a
	// second each, 20 ms away, 1.5 of 1,000 connections without a pause, as
	// if all were closed at the stop, 1.8 with 10 us, 3.1 with 50 us.
	pace = 10 * time.Microsecond

	// marginShare is what is left of the context when all that a connection may
	// still take is over, one in marginShare, within the two bounds, so that the
	// drain ends before its context does: with clients that ignore FIN all
	// lingers end at that moment, and thousands of closes take their time.
	marginShare = 4
	marginLeast = 50 * time.Millisecond
	marginMost  = 250 * time.Millisecond
)

// Unlimited is [Look.Left] of a context that does not end.
const Unlimited time.Duration = math.MaxInt64

// Reason says why a window has ended.
type Reason uint8

const (
	// Open is the reason of a window that has not ended.
	Open Reason = iota

	// Empty is a window with nothing left to wait.
	Empty

	// Quiet is one that is not worth more time: requests no longer came, or
	// too few of those that waited were used.
	Quiet

	// Limit is one that lasted as long as it may.
	Limit

	// Context is one that took its part of what the context left at the stop.
	Context
)

// String returns the reason as metrics and logs show it: "open", "empty",
// "quiet", "limit" or "context".
func (r Reason) String() string {
	switch r {
	case Open:
		return "open"
	case Empty:
		return "empty"
	case Quiet:
		return "quiet"
	case Limit:
		return "limit"
	case Context:
		return "context"
	}
	return "unknown"
}

// Window is the final-read window of one drain. Its methods must not be called
// concurrently.
type Window struct {
	limit time.Duration
	fixed bool
	looks []Look // the newest that is a memory old or older, and all after it
}

// New returns the window of a drain with the given Drain.FinalRead: zero is the
// rule of this package, a positive value a fixed window of that length, and a
// negative one no window, whose closes are not paced either.
func New(finalRead time.Duration) *Window {
	w := &Window{limit: most, looks: []Look{{}}}
	if finalRead != 0 {
		w.limit, w.fixed = max(finalRead, 0), true
	}
	return w
}

// Look is what the drain sees when it looks at its connections.
type Look struct {
	// Elapsed is the time since the stop. It does not go back from look to look.
	Elapsed time.Duration

	// Left is what the context left at the stop, or [Unlimited]. It changes
	// when a further Shutdown joins the drain with a context of its own.
	Left time.Duration

	// Uses counts, since the stop, the connections that waited at the stop, or
	// went back to wait after it, and then began a request. Each counts once,
	// however many requests follow, so that one that is chatty, or that
	// pipelines, does not hold ten thousand others.
	Uses int

	// Waiting is how many connections wait for a request now.
	Waiting int
}

// Look says whether the window goes on, and if so, when to look next, or why it
// has ended. One that is empty may be looked at again, as long as it says when:
// connections whose requests run now may come back to wait. Once it has ended it
// is not asked again: what comes to wait then is closed after a window of its own.
func (w *Window) Look(now Look) (Reason, time.Duration) {
	end := min(w.limit, now.Left/windowShare)
	switch {
	case now.Waiting == 0:
		return Empty, max(0, min(Interval, end-now.Elapsed))
	case now.Elapsed >= w.limit:
		return Limit, 0
	case now.Elapsed >= end:
		return Context, 0
	case !w.fixed && w.quiet(now):
		return Quiet, 0
	}
	return Open, min(Interval, end-now.Elapsed)
}

// quiet says whether too few uses come for the window to last.
func (w *Window) quiet(now Look) bool {
	w.looks = append(w.looks, now)
	for now.Elapsed-w.looks[1].Elapsed >= memory {
		w.looks = w.looks[1:]
	}
	// The uses since the newest look that is a second old, or since the stop
	// while there is none. If looks come late that is more than a second, and
	// the window rather lasts too long.
	recent := now.Uses - w.looks[0].Uses
	switch {
	case now.Elapsed >= rareFrom:
		return rareShare*recent < now.Waiting
	case now.Elapsed >= least:
		return recent == 0
	}
	return false
}

// Pace is the time from one close to the next when n connections are closed at
// the end of a window, whatever ended it. It is shorter than a timer is exact, so
// a drain closes all that are due when it wakes: the first is due at once, and
// the one that follows i others i times that later.
func (w *Window) Pace(n int, left time.Duration) time.Duration {
	if n <= 0 || left <= 0 || w.limit == 0 {
		return 0
	}
	return min(pace, min(paceMost, left/paceShare)/time.Duration(n))
}

// Rest is how long something may take that a drain does with a connection once
// its window is over, if it begins when elapsed has passed since the stop: serve
// requests of a pipeline found late, linger. It is [Unlimited] if left is, and 0
// when it is too late to begin.
func Rest(elapsed, left time.Duration) time.Duration {
	if left == Unlimited {
		return Unlimited
	}
	margin := min(max(left/marginShare, marginLeast), marginMost)
	return max(0, left-elapsed-margin)
}
