package fasthttp

import "time"

// hijackEnded counts the end of a hijack handler, and wakes the drain that waits for
// the last. Whoever sees that none runs any more sees all their ends.
func (s *Server) hijackEnded() {
	s.drains.hijacksEnded.Add(1)
	if d := s.drains.report.Load(); s.drains.hijacked.Add(-1) == 0 && d != nil {
		d.wakeUp()
	}
}

// awaitHijacked waits for hijack handlers, for [Drain.Hijacked] at most, and notes
// how many are left.
func (s *Server) awaitHijacked(d *drain) {
	wait := orDefault(d.set.Hijacked, 0)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for over := wait <= 0; !over && s.drains.hijacked.Load() > 0; {
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
	d.hijacks.left = int(s.drains.hijacked.Load())
	d.hijacks.returned = int(s.drains.hijacksEnded.Load() - d.hijacks.endedBefore)
	d.hijacks.over = true
}

// hijackReport is what a drain knows of hijack handlers; guarded by drain.mu.
type hijackReport struct {
	stopped        bool  // endedBefore is known
	endedBefore    int64 // Server.drains.hijacksEnded at the stop
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
	left = int(s.drains.hijacked.Load())
	if h.stopped {
		returned = int(s.drains.hijacksEnded.Load() - h.endedBefore)
	}
	return returned, left, false
}
