// Package stall tells what the machine did to a process: how late its timers were. A
// limit of time that a process keeps to says nothing while it was not let run.
package stall

import "time"

// Most is how late a timer may be on a machine on which a limit of some hundred
// milliseconds means something.
const Most = 50 * time.Millisecond

// every is the time between two looks at the clock.
const every = 5 * time.Millisecond

// Watch is a look at how late the timers of this process are. Begin, and then End, once.
type Watch struct {
	end   chan struct{}
	worst chan time.Duration
}

// Begin begins to watch.
func Begin() *Watch {
	w := &Watch{end: make(chan struct{}), worst: make(chan time.Duration, 1)}
	go func() {
		var worst time.Duration
		for {
			began := time.Now()
			select {
			case <-time.After(every):
				worst = max(worst, time.Since(began)-every)
			case <-w.end:
				w.worst <- worst
				return
			}
		}
	}()
	return w
}

// End ends the watch, and returns how late a timer was at worst.
func (w *Watch) End() time.Duration {
	close(w.end)
	return <-w.worst
}
