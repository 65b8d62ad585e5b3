package fasthttp

import (
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

// drain is one serving period of a Server and its end. A connection belongs to
// the drain that was current when it was accepted, for good: so the survivors
// of a drain that timed out stay stopped while a later Serve serves anew.
//
// mode orders everything: what stands above it is written before mode leaves
// modeServing, stopAt before modeStopped, and only read after. mu guards the
// rest; giveUp is closed when the last caller of Shutdown has lost patience,
// finished when the drain ends.
type drain struct {
	s               *Server
	set             Drain
	finalRead       time.Duration
	linger          time.Duration
	closeOnShutdown bool
	stopAt          time.Time

	mode atomic.Int32

	count    drainCount
	accepted int // of count, as DrainTotals has shown it; guarded by Server.mu

	// left counts the connections of the account that are still in the table;
	// empty gets a token whenever it falls to zero.
	left  atomic.Int64
	empty chan struct{}

	// What waits, and the window that it is in: see window.go.
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
	waiters []time.Time // the deadlines of those who call Shutdown, zero without one

	gaveUp  bool
	phase   DrainPhase
	entered [PhaseTimedOut + 1]time.Time
	queues  []ListenerReport
	open    int // at the stop

	hijacks hijackReport
	window  windowReport
	err     error
}

func newDrain(s *Server) *drain {
	return &drain{
		s:           s,
		empty:       make(chan struct{}, 1),
		windowQuit:  make(chan struct{}),
		windowEnded: make(chan struct{}),
		done:        make(chan struct{}),
		lateDone:    make(chan struct{}),
		giveUp:      make(chan struct{}),
		finished:    make(chan struct{}),
	}
}

// drainState is what the patched Server holds for its drains.
//
// current is the drain that new connections belong to, and report the one to
// report on, nil while serving; both are written with Server.mu held and read
// without. underway, past, left and loops are guarded by Server.mu.
//
// begun is set before a drain's mode leaves modeServing, and taken back when a
// drain has ended that left nothing behind: what one that timed out has left is in
// it to its end, and another Serve may have begun.
type drainState struct {
	begun    atomic.Uint32
	table    atomic.Pointer[connTable]
	current  atomic.Pointer[drain]
	report   atomic.Pointer[drain]
	hijacked hijackCount
	asking   atomic.Int32 // connections of unknown types for their addresses

	underway *drain
	past     DrainTotals // of the drains that have ended
	left     []*drain    // that timed out, and have survivors, which count on
	loops    []*acceptLoop
}

// currentDrain returns the drain that new connections belong to, and makes it where there
// is none yet, or only that of the Server that this one is a copy of.
func (s *Server) currentDrain() (d *drain) {
	if d = s.drains.current.Load(); d == nil || d.s != s {
		d = s.makeDrain(d)
	}
	return
}

func (s *Server) makeDrain(none *drain) *drain {
	s.drains.current.CompareAndSwap(none, newDrain(s))
	return s.drains.current.Load()
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
// drain knows of the caller's deadline before it begins: what it may take depends on that.
func (s *Server) joinDrain(deadline time.Time) *drain {
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
			d.waiters = []time.Time{deadline}
			begun = true
			s.drains.underway = d
			s.drains.report.Store(d)
			go s.runDrain(d)
		}
		s.mu.Unlock()

		d.mu.Lock()
		joined := !d.gaveUp || d.phase >= PhaseStopped
		if joined && !begun {
			d.waiters = append(d.waiters, deadline)
		}
		d.mu.Unlock()
		if joined {
			return d
		}
		<-d.finished
	}
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
