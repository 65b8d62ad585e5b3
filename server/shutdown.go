package fasthttp

import (
	"context"
	"net"
	"slices"
	"time"
)

// Shutdown stops the Server without losing a request. It is
// [Server.ShutdownWithContext] with a context that never ends.
func (s *Server) Shutdown() error {
	return s.ShutdownWithContext(context.Background())
}

// ShutdownWithContext stops the Server without losing a request, in this order:
//
//  1. [Server.Ready] turns false. For [Drain.LameDuck] the Server goes on
//     accepting and serving; its responses say 'Connection: close'.
//  2. The stop: RequestCtx.Done of the running requests is closed. Connections
//     that the kernel has completed are accepted, then the listeners are
//     closed.
//  3. Every connection gets its final read: what arrives within
//     [Drain.FinalRead] is served (or refused, see [Drain.Reject]) and the
//     response says 'Connection: close'. Running handlers finish. A response
//     that was computed is flushed before its connection closes.
//  4. A close half-closes first and lingers, so that it does not reset.
//  5. Serve returns nil: when the drain has ended, and 5 s after the stop at the
//     latest, so that a program which ends with it does not end its drain.
//
// It returns nil when the last connection has closed and the Close of each listener
// has returned, or the first error of those. It returns ctx.Err() if ctx ends before: then the
// connections that are left stay stopped, which means that they close after
// their current response, or are closed at once with [Drain.ForceClose].
// [Server.DrainReport] has the account.
//
// A call during a drain joins it and waits under its own context; the drain
// gives up when the last caller has. The Server may Serve again afterwards, on
// a new listener; a Serve during a drain waits for its end.
//
// ShutdownWithContext waits for hijacked connections only if [Drain.Hijacked] says
// so, and not for handlers that [TimeoutHandler] has answered for. It does not
// interrupt a handler that ignores RequestCtx.Done. For a request that begins after
// the stop Done closes when a quarter is left of what ctx left at the stop, so that a
// handler that ends with it does not hold the drain to its end; 20 s after the stop if
// ctx has no deadline, as with Shutdown; and with the drain at the latest.
func (s *Server) ShutdownWithContext(ctx context.Context) error {
	deadline := deadlineOf(ctx) // once: that of an application's own context may move
	d := s.joinDrain(deadline)
	select {
	case <-d.finished:
	case <-ctx.Done():
		if d.leave(deadline) {
			<-d.finished
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phase != PhaseStopped {
		return ctx.Err()
	}
	return d.err
}

// runDrain is a drain from its first phase to its last. It runs on a goroutine
// of its own, as it may outlive the Shutdown that began it: another may have
// joined with a longer context.
func (s *Server) runDrain(d *drain) {
	loops := s.acceptLoops()
	unused := len(loops) == 0 && s.connTable().open() == 0
	s.drains.begun.Store(1)
	if lameDuck := orDefault(d.set.LameDuck, 0); lameDuck > 0 && !unused {
		d.mode.Store(modeLameDuck)
		d.enter(PhaseLameDuck)
		d.sleep(lameDuck)
	}
	s.stopConns(d)
	endLooks := s.beginLooks(d)
	d.enter(PhaseClosingListeners)
	s.closeListeners(d, loops)
	d.enter(PhaseDraining)

	last := PhaseStopped
	if !s.awaitConns(d) {
		last = PhaseTimedOut
	}
	close(d.windowQuit)
	<-d.windowEnded
	for !s.endDrain(d, last == PhaseTimedOut) {
		// Another connection has come meanwhile.
		if !s.awaitConns(d) {
			last = PhaseTimedOut
		}
	}
	endLooks()
	s.awaitHijacked(d)
	d.enter(last)

	s.mu.Lock()
	s.drains.underway = nil
	s.drains.past.end(&d.count, last == PhaseTimedOut)
	if last == PhaseTimedOut {
		s.drains.left = append(s.drains.left, d)
	} else {
		s.drains.past.add(s, d)
	}
	s.mu.Unlock()
	close(d.finished)
}

// awaitConns waits until the last connection has closed, or says false when
// the drain gives up.
func (s *Server) awaitConns(d *drain) bool {
	late := time.NewTimer(0)
	defer late.Stop()
	for d.left.Load() != 0 {
		select {
		case <-d.empty:
		case <-d.giveUp:
			return d.left.Load() == 0
		case <-late.C:
			left := time.Until(d.stopAt.Add(d.lateDoneIn()))
			if left <= 0 {
				d.closeLateDone()
				left = deafGrace
			}
			late.Reset(min(left, deafGrace)) // callers of Shutdown come and go
		}
	}
	return true
}

// endDrain settles what is left and makes the Server ready to Serve again. It says
// false, and has done nothing, if a connection has come that the drain has to wait
// for: with all shards locked a connection either is this drain's or the next one's.
func (s *Server) endDrain(d *drain, timedOut bool) (ended bool) {
	var left []net.Conn
	t := s.connTable()
	s.mu.Lock()
	t.lock()
	if timedOut || d.left.Load() == 0 {
		ended = true
		if timedOut {
			d.mode.Store(modeAbandoned)
		} else {
			s.drains.begun.Store(0)
		}
		survives := make(map[*drain]bool)
		for i := range t.shards {
			sh := &t.shards[i]
			for dc := sh.first; dc != nil; dc = dc.next {
				survives[dc.d] = true
				dc.outcomeAtTimeout(d)
				if d.set.ForceClose && timedOut {
					left = append(left, dc.abort())
				}
			}
			sh.drain = nil
		}
		s.drains.left = slices.DeleteFunc(s.drains.left, func(before *drain) bool {
			if !survives[before] {
				s.drains.past.add(s, before)
			}
			return !survives[before]
		})
		s.drains.current.Store(newDrain(s))
		s.stop.Store(0)
	}
	t.unlock()
	s.mu.Unlock()
	if ended {
		d.closeLateDone() // for what outlives it: hijacked connections, abandoned handlers
	}
	closeAll(left)
	return ended
}
