package fasthttp

import (
	"bufio"
	"math"
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
// third are shared with the drain and guarded by shard.mu. idle is an atomic
// because the serving goroutine changes it without the lock.
//
// idle is the state of the connection, in the word that upstream stores its idle
// time in anyway: since when the loop waits for a request, in Unix seconds, or 0
// while it serves one. A negative value asks for begin at the first byte: fresh,
// or a time that the drain has turned to tell the loop of the stop. It is in the
// second cache line, where nothing else is touched in normal life: two swaps per
// request in the line that the loop reads, or in one that a neighbour shares, make
// a request several percent slower.
type drainConn struct {
	net.Conn

	s     *Server
	d     *drain
	shard *connShard

	spare      *bufio.Reader // bytes found by a last look without a reader
	afterStop  bool          // accepted after the stop, or waiting at the stop
	seen       bool          // the serving goroutine's copy of stopSeen
	final      bool          // the current request began after the stop
	lateDone   bool          // its RequestCtx.Done is that of late requests
	saidClose  bool          // the drain put 'Connection: close' on a response
	inBody     bool          // and the rest of the body of its request was to come
	closedFIN  bool          // the window ended while waiting
	halfClosed bool
	rejected   bool
	late       bool
	served     bool // ended in order: not by a panic
	noTLS      bool // the handshake failed during a drain
	outcome    drainOutcome

	idle atomic.Int64

	handshaking bool
	stopSeen    bool
	overdue     bool // by its last look the drain takes it for deaf
	forced      bool // closed by the drain
	accounted   bool // counted when its drain timed out
	tracked     bool // in the table
	windowOpen  bool
	window      time.Duration // its end, from the drain's stop, if windowOpen
	since       int64         // accepted, in Unix nanoseconds
	prev, next  *drainConn    // in the shard's list

	_ [16]byte // up to 128 bytes, which Go allocates at multiples of that
}

// fresh is the idle time of a connection that no byte of a request has come from.
const fresh = math.MinInt64

var drainConnPool = sync.Pool{New: func() any { return new(drainConn) }}

// track begins the record of a connection. admitted says that handOver has
// counted it already. It enters the table with the first hook that may wait:
// the handshake, or enter.
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
	d, sh := dc.d, dc.shard
	if !dc.served {
		dc.outcome = outcomeError
	}
	sh.remove(dc)
	if d.mode.Load() != modeServing || !dc.served {
		*dc = drainConn{}
	} else {
		dc.Conn, dc.served, dc.tracked, dc.outcome = nil, false, false, 0
	}
	sh.table.left()
}

// waiting says whether the serve loop waits for a request, as far as shard.mu
// can tell: the loop may have read a byte since. Call with shard.mu held.
func (dc *drainConn) waiting() bool {
	return dc.idle.Load() != 0
}

// state returns the connection's state, and since when it is idle.
func (dc *drainConn) state() (state ConnState, idleSince int64) {
	switch since := dc.idle.Load(); {
	case since == 0:
		return StateActive, 0
	case since == fresh:
		return StateNew, 0
	case since < 0:
		return StateIdle, -since
	default:
		return StateIdle, since
	}
}

// turn makes the serve loop call begin at the first byte of its next request. It
// returns false if the loop is serving one, which began before, or has turned the
// word itself meanwhile, as it has then seen the stop.
func (dc *drainConn) turn() bool {
	since := dc.idle.Load()
	return since < 0 || since > 0 && dc.idle.CompareAndSwap(since, -since)
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
