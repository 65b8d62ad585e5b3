package fasthttp

import (
	"sync/atomic"
	"time"
)

// hijackCount counts the hijack handlers that run, and those that have ended, in one
// word: whoever reads it while one ends counts that one once.
type hijackCount struct{ word atomic.Uint64 }

// hijackEndedUnit is one that has ended: they stand above up to 16 million that run.
const hijackEndedUnit = 1 << 24

func (h *hijackCount) begin() { h.word.Add(1) }

// end says whether it was the last one that ran.
func (h *hijackCount) end() (last bool) {
	return h.word.Add(hijackEndedUnit-1)%hijackEndedUnit == 0
}

func (h *hijackCount) load() (running int, ended int64) {
	word := h.word.Load()
	return int(word % hijackEndedUnit), int64(word / hijackEndedUnit) // #nosec G115
}

// hijackEnded counts the end of a hijack handler, and wakes the drain that waits for
// the last: it counts before it looks for a drain, which looks for handlers when it
// can be seen.
func (s *Server) hijackEnded() {
	if !s.drains.hijacked.end() {
		return
	}
	if d := s.drains.report.Load(); d != nil {
		d.wakeUp()
	}
}

// awaitHijacked waits for hijack handlers, for [Drain.Hijacked] at most, and notes
// how many are left.
func (s *Server) awaitHijacked(d *drain) {
	wait := orDefault(d.set.Hijacked, 0)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for over := wait <= 0; !over; {
		if running, _ := s.drains.hijacked.load(); running == 0 {
			break
		}
		select {
		case <-d.empty:
		case <-d.giveUp:
			over = true
		case <-timer.C:
			over = true
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	running, ended := s.drains.hijacked.load()
	d.hijacks.left = running
	d.hijacks.returned = int(ended - d.hijacks.endedBefore)
	d.hijacks.over = true
}

// hijackReport is what a drain knows of hijack handlers; guarded by drain.mu.
type hijackReport struct {
	stopped        bool  // endedBefore is known
	endedBefore    int64 // of Server.drains.hijacked at the stop
	over           bool  // the rest is known
	returned, left int
}

// hijacks says how many hijack handlers have returned in a drain, which never falls,
// and how many run; the latter is final if the drain is over.
func (s *Server) hijacks(d *drain) (returned, left int, over bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hijacks
	if h.over {
		return h.returned, h.left, true
	}
	left, ended := s.drains.hijacked.load()
	if h.stopped {
		returned = int(ended - h.endedBefore)
	}
	return returned, left, false
}
