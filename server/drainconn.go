package fasthttp

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// drainConn is what the drain knows of one connection. The hooks that
// PATCHES.md puts into the serve loop are its methods.
//
// Who owns what: the fields of the first group are set by track and constant
// until release. Those of the second belong to the goroutine that serves the
// connection, and pass with it to the goroutine that lingers. Those of the
// third are shared with the drain and guarded by shard.mu; fresh is an atomic
// because the serving goroutine clears it without the lock.
//
// The state of a connection is what upstream stores anyway: idle points to
// upstream's idle time, which is zero while the connection is active.
type drainConn struct {
	c     net.Conn
	s     *Server
	d     *drain
	shard *connShard
	wait  firstByteWaiter

	// afterStop says that the connection was accepted after the stop. The
	// first request of any other counts as begun before it for
	// RequestCtx.Done: it was on its way, and the loop was slower.
	afterStop bool

	spare     *bufio.Reader // bytes found by a last look without a reader
	seen      bool          // the serving goroutine's copy of stopSeen
	final     bool          // the current request began after the stop
	saidClose bool          // the drain put 'Connection: close' on a response
	inBody    bool          // and the rest of the body of its request was to come
	closedFIN bool          // the window ended while waiting
	rejected  bool
	late      bool
	served    bool // ended in order: not by a panic
	noTLS     bool // the handshake failed during a drain
	outcome   drainOutcome

	fresh atomic.Bool // no byte of a request yet

	pos         int           // index in shard.conns
	visit       uint64        // the last scan that saw the record
	idle        *atomic.Int64 // upstream's idle time; nil before and after the loop
	since       time.Time     // accepted; zero until the loop or the handshake begins
	windowEnd   time.Time     // zero: the window has not begun
	handshakeBy time.Time     // the read deadline of a handshake, zero: none
	handshaking bool
	stopSeen    bool
	forced      bool // closed by the drain
	accounted   bool // counted when its drain timed out
}

var drainConnPool = sync.Pool{New: func() any { return new(drainConn) }}

// track enters a connection into the table. admitted says that handOver has
// counted it already.
func (s *Server) track(c net.Conn, admitted bool) *drainConn {
	t := s.connTable()
	if !admitted {
		// Counted before the drain is loaded: a drain that ends does so when
		// it sees the count at zero, and this connection then joins the next.
		t.open.Add(1)
	}
	dc := drainConnPool.Get().(*drainConn) //nolint:forcetypeassert
	dc.c, dc.s = c, s
	dc.wait = firstByteWaiter{c, dc}
	dc.d = s.currentDrain()
	dc.fresh.Store(true)
	t.insert(dc)
	dc.afterStop = dc.d.mode.Load() >= modeStopped
	if admitted {
		t.admitted.Add(-1)
		if dc.afterStop {
			dc.afterStop = dc.d.onTheWay.Add(-1) < 0
		}
	}
	return dc
}

// release takes a connection out of the table, after its close, and counts
// its outcome if a drain is under way. A connection that was not served to its
// end lost its goroutine to a panic.
func (dc *drainConn) release() {
	if dc == nil {
		return
	}
	t := dc.s.connTable()
	if !dc.served {
		dc.outcome = outcomeError
	}
	t.remove(dc)
	*dc = drainConn{}
	drainConnPool.Put(dc)
	t.left()
}

// bind gives the drain the idle time that upstream keeps for the connection,
// and the time when it was accepted.
func (dc *drainConn) bind(idle *atomic.Int64, accepted time.Time) {
	dc.shard.mu.Lock()
	dc.idle, dc.since = idle, accepted
	dc.shard.mu.Unlock()
}

// unbind drops the idle time before upstream recycles it.
func (dc *drainConn) unbind() {
	dc.shard.mu.Lock()
	dc.idle = nil
	dc.shard.mu.Unlock()
}

// waiting says whether the serve loop waits for a request, as far as shard.mu
// can tell: the loop may have read a byte since. Call with shard.mu held.
func (dc *drainConn) waiting() bool {
	return dc.idle != nil && dc.idle.Load() != 0
}

// state returns the connection's state. Call with shard.mu held.
func (dc *drainConn) state() ConnState {
	switch {
	case dc.idle == nil && dc.fresh.Load():
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
	if !dc.windowEnd.IsZero() {
		return
	}
	dc.shard.mu.Lock()
	dc.windowEnd = from.Add(length)
	dc.shard.mu.Unlock()
}
