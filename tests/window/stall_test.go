//go:build linux

package window

import (
	"slices"
	"time"

	"github.com/fastdrain/fastdrain/tests/internal/stall"
)

// stalls is how late timers of this process were while servers stopped, at worst in
// each stop. Its methods are called by one goroutine.
type stalls struct {
	seen  []time.Duration
	watch *stall.Watch
}

func (s *stalls) stopping() { s.watch = stall.Begin() }

func (s *stalls) stopped() { s.seen = append(s.seen, s.watch.End()) }

func (s *stalls) median() time.Duration {
	if len(s.seen) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(s.seen))[len(s.seen)/2]
}

func (s *stalls) worst() time.Duration {
	if len(s.seen) == 0 {
		return 0
	}
	return slices.Max(s.seen)
}

// steps is how many times in a row a stop waits for somebody to be scheduled, at
// most: the signal, the wake of a connection, its client, the link in either
// direction, the response, the FIN, and the exit. Each may be as late as the timer.
const steps = 10

// stalled is how late a timer must be for that to have been no stop at all: half of the
// time in which a connection must be used, at least, to be kept. The clients, and the
// link, are in this process. Where some are lost then that should not be, the stop is made
// anew.
const stalled = 250 * time.Millisecond

// allow is how long something may take that has a limit on a machine that is not
// too busy.
func allow(limit, stall time.Duration) time.Duration {
	return limit + 100*time.Millisecond + steps*stall
}
