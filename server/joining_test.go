package fasthttp

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// Several callers of Shutdown share one drain, and all get its result.
func TestConcurrentShutdownsShareOneDrain(t *testing.T) {
	eachDrainKind(t, "tcp memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		phases := make(chan DrainPhase, 64)
		r := startDrainRig(t, k, heldServer(release, running, Drain{FinalRead: -1, OnPhase: func(p DrainPhase) { phases <- p }}))
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		calls := []*drainCall{r.stop()}
		for range 8 {
			calls = append(calls, r.begin(r.ctx))
		}
		d := r.s.drains.report.Load()
		r.awaitTrue("all have joined", func() bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return len(d.waiters) == len(calls)
		})
		close(release)
		c.want("/held", saysClose)
		c.wantEOF()
		_ = c.c.Close()
		for _, call := range calls {
			call.wantNil()
		}
		if n := len(phases); n != 3 {
			t.Errorf("%d phases, want 3 of one drain", n)
		}
	})
}

// A caller whose context ends gets its error; the drain goes on for the others.
func TestJoinedShutdownsObeyTheirOwnContexts(t *testing.T) {
	eachDrainKind(t, "tcp memory", func(t *testing.T, k drainKind) {
		for _, first := range []bool{true, false} {
			release, running := make(chan struct{}), make(chan struct{}, 1)
			r := startDrainRig(t, k, heldServer(release, running, Drain{FinalRead: 5 * time.Second}))
			c := r.dial()
			c.get("/held")
			r.await("the handler", running)
			short, cancel := context.WithCancel(r.ctx)
			var patient, hasty *drainCall
			if first {
				hasty = r.stopWith(short)
				patient = r.begin(r.ctx)
			} else {
				patient = r.stop()
				hasty = r.begin(short)
			}
			d := r.s.drains.report.Load()
			r.awaitTrue("both have joined", func() bool {
				d.mu.Lock()
				defer d.mu.Unlock()
				return len(d.waiters) == 2
			})
			cancel()
			if err := hasty.wait(); !errors.Is(err, context.Canceled) {
				t.Errorf("the caller whose context ended got %v", err)
			}
			r.awaitTrue("the drain goes on to the next phase", func() bool {
				return r.s.DrainReport().Phase == PhaseDraining
			})
			close(release)
			c.want("/held", keepAlive)
			c.get("/next")
			c.want("/next", saysClose)
			c.wantEOF()
			_ = c.c.Close()
			patient.wantNil()
		}
	})
}

// A context that has ended already: the listeners are closed, and what is open
// is left, stopped.
func TestShutdownWithAContextThatHasEnded(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		r := startDrainRig(t, k, heldServer(release, running, Drain{LameDuck: time.Hour}))
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		ctx, cancel := context.WithCancel(r.ctx)
		cancel()
		if err := r.begin(ctx).wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown returned %v, want the error of its context", err)
		}
		select {
		case err := <-r.served:
			if err != nil {
				t.Errorf("Serve returned %v", err)
			}
		case <-time.After(drainBound):
			t.Errorf("Serve does not return")
		}
		report := r.s.DrainReport()
		if report.Phase != PhaseTimedOut || report.Outcomes.LeftOpen != 1 {
			t.Errorf("report %+v, want timed out and one connection left open", report)
		}
		wantDrainAddsUp(t, report)
		close(release)
		c.want("/held", saysClose)
		c.wantEOF()
	})
}

// A Shutdown that comes when the last caller of another has given up begins a
// drain of its own.
func TestShutdownAfterATimedOutOneWaitsForWhatIsLeft(t *testing.T) {
	eachDrainKind(t, "tcp memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		r := startDrainRig(t, k, heldServer(release, running, Drain{FinalRead: -1}))
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		ctx, cancel := context.WithCancel(r.ctx)
		first := r.stopWith(ctx)
		cancel()
		if err := first.wait(); !errors.Is(err, context.Canceled) {
			t.Fatalf("the first Shutdown returned %v", err)
		}
		second := r.begin(r.ctx)
		r.awaitTrue("the second drain waits", func() bool {
			report := r.s.DrainReport()
			return report.Phase == PhaseDraining && report.OpenAtStop == 1
		})
		close(release)
		c.want("/held", saysClose)
		c.wantEOF()
		_ = c.c.Close()
		second.wantNil()
	})
}

// Serve and Shutdown in a race, again and again: neither hangs nor is lost.
func TestServeAndShutdownInARace(t *testing.T) {
	k := drainKind{net: "tcp"}
	r := newDrainRig(t, k, &Server{Drain: Drain{FinalRead: -1}})
	var wg sync.WaitGroup
	for range 200 {
		ln := newDrainListener(t, k)
		wg.Go(func() {
			if err := r.s.Serve(ln); err != nil {
				t.Errorf("Serve returned %v", err)
			}
		})
		wg.Go(func() {
			if err := r.s.ShutdownWithContext(r.ctx); err != nil {
				t.Errorf("Shutdown returned %v", err)
			}
		})
	}
	// A Serve that began after the last Shutdown is ended by another.
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	r.awaitTrue("all have returned", func() bool {
		select {
		case <-ended:
			return true
		default:
			_ = r.s.ShutdownWithContext(r.ctx)
			return false
		}
	})
}
