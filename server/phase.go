package fasthttp

import "time"

// DrainPhase is a step in the life of a [Server]; it only ever moves forward
// through the constants below, until a later Serve starts anew.
type DrainPhase int32

const (
	// PhaseServing is normal life.
	PhaseServing DrainPhase = iota

	// PhaseLameDuck still accepts and serves, is not ready, and asks clients
	// to leave. It is skipped if [Drain.LameDuck] is zero.
	PhaseLameDuck

	// PhaseClosingListeners is set from the stop until every listener is
	// closed: connections that the kernel has completed are accepted first.
	PhaseClosingListeners

	// PhaseDraining waits for final reads, running handlers and lingering
	// closes.
	PhaseDraining

	// PhaseStopped is reached when the last connection has closed.
	PhaseStopped

	// PhaseTimedOut is reached instead if the context ended before that.
	PhaseTimedOut
)

// String returns the phase as metrics and logs show it: "serving",
// "lame_duck", "closing_listeners", "draining", "stopped" or "timed_out".
func (p DrainPhase) String() string {
	switch p {
	case PhaseServing:
		return "serving"
	case PhaseLameDuck:
		return "lame_duck"
	case PhaseClosingListeners:
		return "closing_listeners"
	case PhaseDraining:
		return "draining"
	case PhaseStopped:
		return "stopped"
	case PhaseTimedOut:
		return "timed_out"
	}
	return "unknown"
}

// enter moves the drain to its next phase.
func (d *drain) enter(p DrainPhase) {
	d.mu.Lock()
	d.phase = p
	d.entered[p] = time.Now()
	d.mu.Unlock()
	if d.set.OnPhase != nil {
		d.tell(p)
	}
}

// tell has OnPhase called, and waits for it until the drain gives up: from then
// on for a moment only, and not at all behind a call that is stuck. The calls have
// goroutines of their own, each waits for the one before.
func (d *drain) tell(p DrainPhase) {
	before, told := d.told, make(chan struct{})
	d.told = told
	go func() {
		defer close(told)
		if before != nil {
			<-before
		}
		d.set.OnPhase(p)
	}()
	select {
	case <-told:
		return
	case <-d.giveUp:
	}
	if d.stuck {
		return
	}
	d.stuck = !within(moment, told)
}
