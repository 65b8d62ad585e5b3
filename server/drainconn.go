package fasthttp

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// drainConn is what the drain knows of one connection. The hooks that
// PATCHES.md puts into the serve loop are its methods. A worker keeps its
// record from connection to connection.
//
// Who owns what: the fields of the first group are set by track and constant
// until release. Those of the second belong to the goroutine that serves the
// connection, and pass with it to the goroutine that lingers. Those of the
// third are shared with the drain and guarded by shard.mu; idle and fresh are
// atomics because the serving goroutine changes them without the lock.
//
// The state of a connection is what upstream stores anyway: idle points to
// upstream's idle time, which is zero while the connection is active. It is
// dropped before upstream gives that time to another connection; a scan that
// had it in hand may once read the other's. The drain sets no deadline by such
// a reading: see seeStop.
type drainConn struct {
	net.Conn

	s     *Server
	d     *drain
	shard *connShard

	spare     *bufio.Reader // bytes found by a last look without a reader
	afterStop bool          // accepted after the stop, or waiting at the stop
	seen      bool          // the serving goroutine's copy of stopSeen
	final     bool          // the current request began after the stop
	lateDone  bool          // its RequestCtx.Done is that of late requests
	saidClose bool          // the drain put 'Connection: close' on a response
	inBody    bool          // and the rest of the body of its request was to come
	closedFIN bool          // the window ended while waiting
	rejected  bool
	late      bool
	served    bool // ended in order: not by a panic
	noTLS     bool // the handshake failed during a drain
	outcome   drainOutcome

	idle  atomic.Pointer[atomic.Int64] // upstream's idle time; nil outside the loop
	fresh atomic.Bool                  // no byte of a request yet

	handshaking bool
	stopSeen    bool
	overdue     bool // by its last look the drain takes it for deaf
	forced      bool // closed by the drain
	accounted   bool // counted when its drain timed out
	tracked     bool // in the table
	windowOpen  bool
	window      time.Duration // its end, from the drain's stop, if windowOpen
	since       int64         // accepted, in Unix nanoseconds
	pos         int32         // index in shard.conns
	visit       uint32        // the last scan that saw the record
}

var drainConnPool = sync.Pool{New: func() any { return new(drainConn) }}

// track begins the record of a connection. admitted says that handOver has
// counted it already. It enters the table with the first hook that may wait:
// the handshake, or bind.
func (s *Server) track(c net.Conn, admitted bool) *drainConn {
	dc := drainConnPool.Get().(*drainConn) //nolint:forcetypeassert
	dc.start(s, c, admitted)
	return dc
}

// start is track for a worker, which keeps the record.
func (dc *drainConn) start(s *Server, c net.Conn, admitted bool) {
	t := s.connTable()
	if !admitted {
		// Counted before the drain is loaded: a drain that ends does so when
		// it sees the count at zero, and this connection then joins the next.
		t.open.Add(1)
	}
	if dc.s != s {
		dc.s, dc.shard = s, t.nextShard()
	}
	dc.Conn, dc.d = c, s.currentDrain()
	dc.fresh.Store(true)
	if dc.d.mode.Load() >= modeStopped {
		dc.afterStop = !admitted || dc.d.wasQueued(c)
	}
}

// release takes a connection out of the table, after its close, and counts
// its outcome if a drain is under way. A connection that was not served to its
// end lost its goroutine to a panic.
func (dc *drainConn) release() {
	dc.end()
	drainConnPool.Put(dc)
}

// end is release for a worker, which keeps the record. What only a drain
// writes need not be cleared in normal life.
func (dc *drainConn) end() {
	if dc == nil {
		return
	}
	t := dc.s.connTable()
	if !dc.served {
		dc.outcome = outcomeError
	}
	t.remove(dc)
	if dc.draining() {
		*dc = drainConn{}
	} else {
		dc.Conn, dc.served, dc.tracked, dc.outcome = nil, false, false, 0
	}
	t.left()
}

// bind gives the drain the idle time that upstream keeps for the connection,
// and the time when it was accepted.
func (dc *drainConn) bind(idle *atomic.Int64, accepted time.Time) {
	dc.idle.Store(idle)
	dc.s.connTable().insert(dc, accepted)
}

// idleSince is upstream's idle time, zero while the connection is active.
func (dc *drainConn) idleSince() int64 {
	if idle := dc.idle.Load(); idle != nil {
		return idle.Load()
	}
	return 0
}

// waiting says whether the serve loop waits for a request, as far as shard.mu
// can tell: the loop may have read a byte since. Call with shard.mu held.
func (dc *drainConn) waiting() bool {
	return dc.idleSince() != 0
}

// state returns the connection's state. Call with shard.mu held.
func (dc *drainConn) state() ConnState {
	switch {
	case dc.idle.Load() == nil && dc.fresh.Load():
		return StateNew
	case !dc.waiting():
		return StateActive
	case dc.fresh.Load():
		return StateNew
	}
	return StateIdle
}

// seeStop notes that the serve loop has observed the stop. From its return on
// the drain sets no deadline on the connection: it does so under shard.mu, and
// only on connections that have not seen the stop. So the loop may set its own
// afterwards without one of the drain's landing on top of it.
func (dc *drainConn) seeStop() {
	if dc.seen {
		return
	}
	dc.seen = true
	dc.shard.mu.Lock()
	dc.stopSeen = true
	dc.shard.mu.Unlock()
}

// openWindow begins the final-read window unless it has begun. A window is
// opened once: further requests do not prolong it.
func (dc *drainConn) openWindow(from time.Time, length time.Duration) {
	if dc.windowOpen {
		return
	}
	dc.shard.mu.Lock()
	dc.windowOpen, dc.window = true, from.Add(length).Sub(dc.d.stopAt)
	dc.shard.mu.Unlock()
}

// windowEnd is when the window ends, once it is open.
func (dc *drainConn) windowEnd() time.Time {
	return dc.d.stopAt.Add(dc.window)
}
