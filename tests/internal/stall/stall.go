// Package stall tells what the machine did to a process: how late its timers were. A
// limit of time that a process keeps to says nothing while it was not let run.
package stall

import (
	"sync/atomic"
	"time"
)

// Most is how late a timer may be on a machine on which a limit of some hundred
// milliseconds means something.
const Most = 50 * time.Millisecond

// every is the time between two looks at the clock.
const every = 5 * time.Millisecond

// Watch is how late the timers of this process were since its begin, at worst.
type Watch struct {
	worst atomic.Int64
	end   chan struct{}
}

// Begin begins to watch.
func Begin() *Watch {
	w := &Watch{end: make(chan struct{})}
	go func() {
		for {
			began := time.Now()
			select {
			case <-time.After(every):
				w.worst.Store(max(w.worst.Load(), int64(time.Since(began)-every)))
			case <-w.end:
				return
			}
		}
	}()
	return w
}

// Worst is the longest stall so far.
func (w *Watch) Worst() time.Duration { return time.Duration(w.worst.Load()) }

// End ends the watch.
func (w *Watch) End() { close(w.end) }
