package fasthttp

// DrainTotals sums the accounts of all drains of a Server since it was made,
// the one under way included: counters that never fall, for metrics.
type DrainTotals struct {
	// Drains counts the calls of Shutdown that began a drain, Graceful, Forced
	// and TimedOut how those that have ended did, see [DrainReport.Verdict].
	Drains, Graceful, Forced, TimedOut int

	// The rest is as in DrainReport.
	Outcomes                           DrainOutcomes
	Accepted                           int
	FinalReadServed, FinalReadRejected int
	Late, Undelivered                  int

	// HijackedReturned rises as hijack handlers return in a drain, HijackedLeft
	// at the drain's end, by those that have not.
	HijackedReturned, HijackedLeft int
}

// DrainTotals returns the sums of all drains so far.
func (s *Server) DrainTotals() DrainTotals {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.drains.past
	for _, d := range s.drains.left {
		t.add(s, d)
	}
	if d := s.drains.underway; d != nil {
		t.Drains++
		t.add(s, d)
	}
	return t
}

// add adds the counts of a drain. Call with Server.mu held.
func (t *DrainTotals) add(s *Server, d *drain) {
	c := &d.count
	t.Outcomes.add(c)
	// A connection that no worker was free for is uncounted until its refusal counts it.
	d.accepted = max(d.accepted, int(c.accepted.Load()))
	t.Accepted += d.accepted
	t.FinalReadServed += int(c.finalServed.Load())
	t.FinalReadRejected += int(c.finalRejected.Load())
	t.Late += int(c.late.Load())
	t.Undelivered += int(c.undelivered.Load())
	returned, left, over := s.hijacks(d)
	t.HijackedReturned += returned
	if over {
		t.HijackedLeft += left
	}
}

// end counts a drain that has ended, by its verdict.
func (t *DrainTotals) end(c *drainCount, timedOut bool) {
	t.Drains++
	switch {
	case c.outcome[outcomeForced].Load() > 0:
		t.Forced++
	case timedOut:
		t.TimedOut++
	default:
		t.Graceful++
	}
}
