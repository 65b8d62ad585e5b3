package fasthttp

import "time"

// hijackEnded uncounts a hijack handler, and wakes the drain that waits for the last.
func (s *Server) hijackEnded() {
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
	d.hijackedLeft, d.hijackEnded = int(s.drains.hijacked.Load()), true
}

// hijacks says how many hijack handlers have returned in a drain, of those that ran
// at the stop or began since, and how many run.
func (s *Server) hijacks(d *drain, began int) (returned, left int) {
	left = int(s.drains.hijacked.Load())
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hijackEnded {
		left = d.hijackedLeft
	}
	return max(0, d.hijackedAtStop+began-left), left
}
