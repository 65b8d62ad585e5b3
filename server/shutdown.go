package fasthttp

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// What a connection's hooks need to know of the drain, in one atomic load.
const (
	modeServing int32 = iota
	modeLameDuck
	modeStopped
	modeAbandoned // the context ended; what is left closes after its response
)

// deafGrace is the time between two looks for connections that should have
// noticed the end of their window. One that has not at two looks running is
// closed: its Read does not obey a deadline that is set while it waits.
const deafGrace = 200 * time.Millisecond

// deafShare is the part of the context that such a look may take: there are two, and
// a linger.
const deafShare = 8

// drain is one serving period of a Server and its end. A connection belongs to
// the drain that was current when it was accepted, for good: so the survivors
// of a drain that timed out stay stopped while a later Serve serves anew.
//
// mode orders everything: what stands above it is written before mode leaves
// modeServing, stopAt before modeStopped, and only read after. mu guards the
// rest; giveUp is closed when
// the last caller of Shutdown has lost patience, finished when the drain ends.
type drain struct {
	set             Drain
	finalRead       time.Duration
	linger          time.Duration
	closeOnShutdown bool
	stopAt          time.Time

	mode atomic.Int32

	count drainCount

	// left counts the connections of the account that are still in the table;
	// empty gets a token whenever it falls to zero.
	left  atomic.Int64
	empty chan struct{}

	// What waits, and the window that it is in: see waiting.go.
	waiting     atomic.Int64
	uses        atomic.Int64
	over        atomic.Bool
	closedBy    time.Time
	windowQuit  chan struct{}
	windowEnded chan struct{}

	told  chan struct{} // closed after the last call of OnPhase; the drain's goroutine's
	stuck bool          // a call of it had not returned when nobody waited any longer

	pauseWake func() // a test's pause between the load of a state and the deadline

	done     chan struct{} // RequestCtx.Done of requests begun before the stop
	lateDone chan struct{} // and of those begun after it; see closeLateDone
	giveUp   chan struct{}
	finished chan struct{}

	mu      sync.Mutex
	waiters []patience

	gaveUp  bool
	phase   DrainPhase
	entered [PhaseTimedOut + 1]time.Time
	queues  []ListenerReport
	open    int // at the stop

	hijackedAtStop, hijackedLeft int
	hijackEnded                  bool // hijackedLeft is known
	window                       windowReport
	err                          error
}

func newDrain() *drain {
	return &drain{
		empty:       make(chan struct{}, 1),
		windowQuit:  make(chan struct{}),
		windowEnded: make(chan struct{}),
		done:        make(chan struct{}),
		lateDone:    make(chan struct{}),
		giveUp:      make(chan struct{}),
		finished:    make(chan struct{}),
	}
}

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
// It returns nil when the last connection has closed, or the first error of
// closing a listener. It returns ctx.Err() if ctx ends before: then the
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
// interrupt a handler that ignores RequestCtx.Done; for a request that begins after
// the stop Done closes when ctx ends, or 20 s after the stop if ctx never can, as
// with Shutdown.
func (s *Server) ShutdownWithContext(ctx context.Context) error {
	d := s.joinDrain(ctx)
	select {
	case <-d.finished:
	case <-ctx.Done():
		if d.leave(patienceOf(ctx)) {
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

// Ready says whether the Server wants new connections, for a readiness probe:
// it is false from the first call of Shutdown until a later Serve. Before the
// first Serve it is true.
func (s *Server) Ready() bool {
	return s.drains.report.Load() == nil
}

// drained says that the last drain has left nothing to do for another. Call
// with Server.mu held.
func (s *Server) drained() bool {
	return s.drains.report.Load() != nil && len(s.drains.loops) == 0 && s.connTable().open() == 0
}

// joinDrain returns the drain under way, which it begins if there is none. The
// drain knows of ctx before it begins: what it may take depends on that.
func (s *Server) joinDrain(ctx context.Context) *drain {
	for begun := false; ; {
		s.mu.Lock()
		d := s.drains.underway
		if d == nil && s.drained() {
			d = s.drains.report.Load()
		}
		if d == nil {
			d = s.currentDrain()
			d.set = s.Drain
			d.finalRead = orDefault(s.Drain.FinalRead, DefaultFinalRead)
			d.linger = orDefault(s.Drain.Linger, DefaultLinger)
			d.closeOnShutdown = s.CloseOnShutdown
			d.entered[PhaseServing] = time.Now()
			d.waiters = []patience{patienceOf(ctx)}
			begun = true
			s.drains.underway = d
			s.drains.report.Store(d)
			go s.runDrain(d)
		}
		s.mu.Unlock()

		d.mu.Lock()
		joined := !d.gaveUp || d.phase >= PhaseStopped
		if joined && !begun {
			d.waiters = append(d.waiters, patienceOf(ctx))
		}
		d.mu.Unlock()
		if joined {
			return d
		}
		<-d.finished
	}
}

// patience is how long a caller of Shutdown waits.
type patience struct {
	deadline time.Time // zero if there is none
	eternal  bool      // its context can never end
}

func patienceOf(ctx context.Context) patience {
	t, _ := ctx.Deadline()
	return patience{t, ctx.Done() == nil}
}

// deadline is the last of those of the contexts of Shutdown; ok is false if one of
// them has none. Call with mu held.
func (d *drain) deadline() (last time.Time, ok bool) {
	for _, w := range d.waiters {
		if w.deadline.IsZero() {
			return time.Time{}, false
		}
		if w.deadline.After(last) {
			last = w.deadline
		}
	}
	return last, true
}

// leave takes a caller of Shutdown out of a drain and says whether it was the
// last one, in which case the drain gives up. What is left of the drain takes the
// time that the others have.
func (d *drain) leave(p patience) (last bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiters) > 1 {
		i := slices.Index(d.waiters, p)
		d.waiters = slices.Delete(d.waiters, i, i+1)
		return false
	}
	if d.gaveUp {
		return false
	}
	d.gaveUp = true
	close(d.giveUp)
	return true
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
	s.awaitHijacked(d)
	d.enter(last)

	s.mu.Lock()
	s.drains.underway = nil
	s.drains.past.end(&d.count, last == PhaseTimedOut)
	if last == PhaseTimedOut {
		s.drains.left = append(s.drains.left, d)
	} else {
		s.drains.past.add(&d.count)
	}
	s.mu.Unlock()
	close(d.finished)
}

// sleep waits, or less if the drain gives up.
func (d *drain) sleep(t time.Duration) {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.giveUp:
	}
}

func (d *drain) givenUp() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gaveUp
}

// stopConns is the stop: it counts the open connections, and only then sets the
// stop, so that each one that closes from here on is in the account. Then it
// wakes those that wait for a request: they note the stop, and wait on under
// their window.
//
// What makes it certain is who stores before loading. A serve loop stores its
// state, idle or active, and then loads mode (in beforeWait, in begin); here mode is
// stored and then the states are loaded: one of the two sees the other. A loop that
// has seen the stop locks the shard before it sets a deadline of its own (see
// seeStop), so the one set here cannot land on the request that it begins.
func (s *Server) stopConns(d *drain) {
	d.stopAt = time.Now()
	open := 0
	s.connTable().eachShard(func(sh *connShard) {
		sh.drain = d
		open += sh.n
		d.left.Add(int64(sh.n))
		for dc := sh.first; dc != nil; dc = dc.next {
			dc.accounted, dc.forced, dc.late = false, false, false
		}
	})
	d.mu.Lock()
	d.open = open
	d.hijackedAtStop = int(s.drains.hijacked.Load())
	d.mu.Unlock()

	s.stop.Store(1)
	d.closedBy = d.stopAt
	d.over.Store(d.finalRead == 0)
	d.mode.Store(modeStopped)
	close(d.done)
	s.connTable().eachShard(func(sh *connShard) {
		for dc := sh.first; dc != nil; dc = dc.next {
			dc.wake(d)
		}
	})
	go s.runWindow(d)
}

// awaitConns waits until the last connection has closed, or says false when
// the drain gives up. It closes connections that do not obey their deadline.
func (s *Server) awaitConns(d *drain) bool {
	t := s.connTable()
	look := time.NewTicker(max(time.Millisecond, min(deafGrace, d.contextLeft(time.Now())/deafShare)/2))
	defer look.Stop()
	for deaf := false; d.left.Load() != 0; deaf = !deaf {
		select {
		case <-d.empty:
		case <-d.giveUp:
			return d.left.Load() == 0
		case now := <-look.C:
			if now.Sub(d.stopAt) >= doneBound && d.waitsForever() {
				d.closeLateDone()
			}
			var deafOnes []net.Conn
			t.eachShard(func(sh *connShard) {
				for dc := sh.first; dc != nil; dc = dc.next {
					if dc.endPatience(now) {
						deafOnes = append(deafOnes, dc.abort())
					}
					if !deaf || dc.aborted {
						continue
					}
					// A socket obeys its deadlines: one that is late waits for
					// the machine, or for code of the application. Two looks,
					// as a loop that has just gone idle has not noted yet when
					// its window ends.
					sock, _ := stream(dc.Conn)
					late := sock == nil && now.After(dc.noticeBy(d))
					if late && dc.overdue {
						// An unknown wrapper that has noticed
						// the stop, but sets deadlines of its
						// own, ends as with upstream.
						dc.forced = known(dc.Conn) || !dc.stopSeen
						deafOnes = append(deafOnes, dc.abort())
					}
					dc.overdue = late
				}
			})
			closeAll(deafOnes)
		}
	}
	return true
}

// ended uncounts a connection and wakes the drain that waits for the last one.
func (d *drain) ended() {
	if d.left.Add(-1) == 0 {
		d.wakeUp()
	}
}

// wakeUp has the drain look anew at what it waits for.
func (d *drain) wakeUp() {
	select {
	case d.empty <- struct{}{}:
	default:
	}
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
				s.drains.past.add(&before.count)
			}
			return !survives[before]
		})
		s.drains.current.Store(newDrain())
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

// closeAll closes connections that were aborted. A Close may be code of the
// application, or wait for SO_LINGER (see socket(7)): each has a goroutine of its own,
// and all of them a moment.
func closeAll(conns []net.Conn) {
	if len(conns) == 0 {
		return
	}
	var running sync.WaitGroup
	for _, c := range conns {
		running.Go(func() { _ = c.Close() })
	}
	done := make(chan struct{})
	go func() {
		running.Wait()
		close(done)
	}()
	within(moment, done)
}

// moment is how long code of the application is waited for where nothing can be
// waited for any longer.
const moment = 15 * time.Millisecond

// within waits for something, and says whether it came in time.
func within(t time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
