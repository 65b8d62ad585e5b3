package fasthttp

// drainOutcome is how a connection of a drain ended.
type drainOutcome uint8

const (
	outcomeClosedAfterResponse drainOutcome = iota
	outcomeClosedIdle
	outcomeRejected
	outcomeClientClosed
	outcomeHijacked
	outcomeError
	outcomeForced
	outcomeLeftOpen
	outcomes
)

// outcomeNames are those that metrics, traces and the debug page show, and what a
// log says. They stand here and nowhere else.
var outcomeNames = [outcomes]struct{ name, text string }{
	outcomeClosedAfterResponse: {"closed_after_response", "closed after a response"},
	outcomeClosedIdle:          {"closed_idle", "idle"},
	outcomeRejected:            {"rejected", "rejected"},
	outcomeClientClosed:        {"client_closed", "closed by the client"},
	outcomeHijacked:            {"hijacked", "hijacked"},
	outcomeError:               {"error", "errors"},
	outcomeForced:              {"forced", "forced"},
	outcomeLeftOpen:            {"left_open", "left open"},
}

// DrainOutcomes counts how the connections of a drain ended, each in exactly
// one way.
type DrainOutcomes struct {
	// ClosedAfterResponse: closed after a response that said so.
	ClosedAfterResponse int

	// ClosedIdle: closed at the end of its window, while it waited.
	ClosedIdle int

	// Rejected: answered with 503, see [Drain.Reject], or over a limit of the
	// Server.
	Rejected int

	// ClientClosed: the client was first.
	ClientClosed int

	// Hijacked: left the Server's care, see [RequestCtx.Hijack].
	Hijacked int

	// Error: a malformed request, a timeout or a failed write.
	Error int

	// Forced: closed by the drain, see [Drain.ForceClose], or because its Read
	// did not obey a deadline.
	Forced int

	// LeftOpen: still open when the context ended.
	LeftOpen int
}

// of is the field of an outcome.
func (o *DrainOutcomes) of(outcome drainOutcome) *int {
	return [outcomes]*int{
		outcomeClosedAfterResponse: &o.ClosedAfterResponse,
		outcomeClosedIdle:          &o.ClosedIdle,
		outcomeRejected:            &o.Rejected,
		outcomeClientClosed:        &o.ClientClosed,
		outcomeHijacked:            &o.Hijacked,
		outcomeError:               &o.Error,
		outcomeForced:              &o.Forced,
		outcomeLeftOpen:            &o.LeftOpen,
	}[outcome]
}

// Each calls f for every outcome, in the order of the fields, with its name in
// metrics, traces and the debug page ("closed_after_response") and its count.
func (o DrainOutcomes) Each(f func(name string, n int)) {
	for i, names := range outcomeNames {
		f(names.name, *o.of(drainOutcome(i)))
	}
}

// Total is the sum of all outcomes. When a drain has ended it equals
// OpenAtStop + Accepted of its [DrainReport].
func (o DrainOutcomes) Total() (sum int) {
	o.Each(func(_ string, n int) { sum += n })
	return sum
}

// add adds the outcomes that a drain has counted so far.
func (o *DrainOutcomes) add(c *drainCount) {
	for i := range outcomes {
		*o.of(i) += int(c.outcome[i].Load())
	}
}

// outcomeOf is how a connection ended that the drain did not close.
func outcomeOf(connectionClose bool, err error) drainOutcome {
	switch {
	case err == nil && connectionClose:
		return outcomeClosedAfterResponse
	case err == nil:
		return outcomeClientClosed
	case err == errHijacked:
		return outcomeHijacked
	case brokenByPeer(err):
		return outcomeClientClosed
	}
	return outcomeError
}

// settle counts how a connection ended. Called with its shard locked, once.
func (d *drain) settle(dc *drainConn) {
	o := dc.outcome
	switch dc.cut {
	case cutForced:
		o = outcomeForced
	case cutIdle:
		o = outcomeClosedIdle
	}
	d.count.outcome[o].Add(1)
	if dc.late {
		d.count.late.Add(1)
	}
}

// outcomeAtTimeout counts a connection that is still open when its drain ends.
// Call with its shard locked.
func (dc *drainConn) outcomeAtTimeout(d *drain) {
	dc.accounted = true
	o := outcomeLeftOpen
	if dc.cut == cutForced || d.set.ForceClose {
		o = outcomeForced
	}
	d.count.outcome[o].Add(1)
	if dc.late {
		d.count.late.Add(1)
	}
}

// outcome is how a connection ended whose loop has left in a drain.
func (e drainEnding) outcome(connectionClose bool, err error) drainOutcome {
	switch e {
	case endRefused:
		return outcomeRejected
	case endFIN:
		return outcomeClosedIdle
	}
	return outcomeOf(connectionClose, err)
}
