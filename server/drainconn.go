package fasthttp

import (
	"bufio"
	"math"
	"net"
	"runtime"
	"sync/atomic"
	"time"
)

// drainConn is what the drain knows of one connection. It travels as the
// connection itself: from the accept loop to the worker, which closes it and
// says its last state, and there the record ends. The serve loop takes the
// connection out of it at its start, so that handlers and hooks see what the
// listener accepted. The hooks that PATCHES.md puts into the loop are its methods.
//
// Who owns what: the fields of the first group are set by track and constant
// until release, but for since. Those of the second belong to the goroutine that serves the
// connection, and pass with it to the one that lingers. Those of the third are
// shared with the drain and guarded by shard.mu. idle and since are atomics, as
// the serving goroutine stores them without the lock.
//
// idle is the word in which upstream's loop keeps the connection's state: from
// which second on it counts as idle, or 0 while it serves a request. Which order
// makes it certain is said at stopConns. It is all that the loop writes of a record for
// each request, and lies apart, where upstream's words lie: eight share a cache line.
type drainConn struct {
	net.Conn

	d     *drain
	shard *connShard
	idle  *atomic.Int64
	since atomic.Int64 // begun, in Unix nanoseconds; 0 until a worker has it, and from its handshake to its loop

	spare      *bufio.Reader // bytes found by a last look without a reader
	pooled     bool          // a worker serves it, not ServeConn
	seen       bool          // the serving goroutine's copy of stopSeen
	handled    bool          // the handler of the current request has returned, in a drain
	final      bool          // the current request began after the stop
	lateDone   bool          // its RequestCtx.Done is that of late requests
	ending     drainEnding   // the drain's last word to the client
	halfRead   bool          // its last look has read what may be part of a TLS record
	halfClosed bool
	bodyTaken  bool    // a handler that TimeoutHandler has answered for may read on
	blocked    bool    // its descriptor blocks: see readBy
	lingering  bool    // its close is left to workerState
	served     bool    // ended in order: not by a panic
	noTLS      bool    // the handshake failed during a drain
	first      [1]byte // of a request, with ReduceMemoryUsage
	outcome    drainOutcome

	stopSeen   bool
	waking     bool           // what interrupts its Read has not returned yet
	overdue    bool           // by its last look the drain takes it for deaf
	cut        drainCut       // closed from outside
	accounted  bool           // counted when its drain timed out
	late       bool           // bytes of a request are left without an answer
	waits      bool           // counted in drain.waiting
	used       bool           // counted in drain.uses
	parked     bool           // waits until the drain's window ends, and is woken then
	window     afterStop      // the end of a window of its own; or 0
	head       afterStop      // until when it waits for a head; or 0
	handshake  *handshakeConn // during a TLS handshake
	prev, next *drainConn     // in the shard's list
}

// drainEnding is how a drain ended a connection towards its client.
type drainEnding uint8

const (
	endNone        drainEnding = iota // it did not, or has not yet
	endClose                          // a response that says 'Connection: close'
	endCloseInBody                    // the same, with the body of its request still to come
	endRefused                        // a 503
	endFIN                            // the window ended while the connection waited
)

// saidClose says whether the drain put 'Connection: close' on a response.
func (e drainEnding) saidClose() bool { return e == endClose || e == endCloseInBody }

// drainCut is how a drain has closed a connection from outside: nothing that is
// read from it then is served.
type drainCut uint8

const (
	cutNot    drainCut = iota
	cutIdle            // as upstream's Shutdown does with what waits, or by an earlier drain
	cutForced          // and this one forced it
)

// neverIdle is the idle word of a connection that no byte of a request has come
// from: a second that does not come. Upstream's own value for it, five seconds
// from its begin, could not be told later from that of a request begun then.
const neverIdle = math.MaxInt64

// handOver gives an accepted connection to a worker as its record. A drain must
// not find the table empty while a connection is on its way.
func (s *Server) handOver(ln net.Listener, wp *workerPool, c net.Conn) bool {
	l := ln.(*servedListener) //nolint:forcetypeassert
	l.shard++
	if l.pool != wp { // before its first worker
		l.pool = wp
		wp.connState = func(c net.Conn, state ConnState) { s.workerState(wp, c, state) }
	}
	dc := s.connTable().track(c, l.shard, l.drain)
	dc.pooled = true
	if wp.Serve(dc) {
		return true
	}
	dc.shard.forget(dc)
	return false
}

// track begins the record of a connection that was given to ServeConn, or that was
// refused.
func (s *Server) track(c net.Conn) *drainConn {
	t := s.connTable()
	return t.track(c, t.next.Add(1), nil)
}

// workerState is the last that a worker does with a connection: it reports that
// it has been closed or hijacked. A close that lingers is the last that it does at
// all: it gives up its slot, before that FIN, as a client may connect anew when it sees
// it, and leaves the rest to another goroutine. Its own stack is as large as the
// handlers have made it, or its thread its own, and no other connection needs either.
func (s *Server) workerState(wp *workerPool, c net.Conn, state ConnState) {
	dc := c.(*drainConn) //nolint:forcetypeassert
	if !dc.lingering {
		s.endRecord(dc, state)
		return
	}
	wp.lock.Lock()
	wp.workersCount--
	wp.lock.Unlock()
	go dc.lingerOn()
	runtime.Goexit()
}

// lingerOn is the rest of a worker's connection.
func (dc *drainConn) lingerOn() {
	_ = dc.linger()
	dc.d.s.endRecord(dc, StateClosed)
}

// endRecord takes a connection out of the table and reports its last state, in this
// order: the callback may wait for the lock of somebody who waits for Shutdown.
func (s *Server) endRecord(dc *drainConn, state ConnState) {
	c, hook := dc.Conn, s.ConnState // which may be set anew after Shutdown
	dc.release()
	if hook != nil {
		hook(c, state)
	}
}

// serveRecord is the serve loop of a worker.
func (s *Server) serveRecord(c net.Conn) error {
	dc, ok := c.(*drainConn)
	if !ok { // in upstream's tests
		return s.serveConnCounted(c, true)
	}
	defer dc.releaseVanished()
	err := s.serveConnCounted(c, true)
	dc.served = true
	return err
}

// serveGiven is the serve loop of a connection that was given to ServeConn. The record
// of one that was hijacked ends here, and not after the callback that says so: see
// endRecord.
func (s *Server) serveGiven(record **drainConn) error {
	dc := *record
	err := s.serveConnCounted(dc, false)
	if err == errHijacked {
		*record = nil
		dc.release()
	}
	return err
}

// releaseVanished releases a record whose handler has ended the goroutine
// (runtime.Goexit, which testing's FailNow calls). Its connection stays open.
func (dc *drainConn) releaseVanished() {
	if !dc.served {
		dc.release()
	}
}

// recordOf is the start of the serve loop: it takes the connection out of its
// record. Only upstream's tests come without one: theirs is in a shard that
// nobody looks into.
func (s *Server) recordOf(c net.Conn) (net.Conn, *drainConn) {
	dc, ok := c.(*drainConn)
	if !ok {
		dc = &drainConn{Conn: c, d: s.currentDrain(), shard: new(connShard), idle: new(atomic.Int64)}
	}
	return dc.Conn, dc
}

// release takes a connection out of the table, after its close, and counts
// its outcome if a drain is under way. A connection that was not served to its
// end lost its goroutine to a panic.
func (dc *drainConn) release() {
	if dc == nil {
		return // of ServeConn, which has closed it
	}
	if !dc.served {
		dc.outcome = outcomeError
	}
	dc.shard.remove(dc)
}

// waiting says whether the serve loop waits for a request, as far as shard.mu
// can tell: the loop may have read a byte since.
func (dc *drainConn) waiting() bool {
	return dc.idle.Load() != 0
}

// state returns the connection's state, and since when it is idle.
// In this order: where since is set, enterLoop has written over upstream's first word.
func (dc *drainConn) state() (state ConnState, idleSince int64) {
	begun := dc.since.Load() != 0
	switch idle := dc.idle.Load(); {
	case idle == neverIdle, !begun:
		return StateNew, 0
	case idle == 0:
		return StateActive, 0
	default:
		return StateIdle, idle
	}
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
	dc.awaitWaker()
	dc.shard.mu.Unlock()
}

// openWindow begins the connection's own final-read window, unless it has one:
// further requests do not prolong it.
func (dc *drainConn) openWindow() {
	if dc.window != 0 {
		return
	}
	end := time.Now().Add(dc.d.fits(dc.d.finalRead))
	dc.shard.mu.Lock()
	dc.window = dc.d.afterStop(end)
	dc.shard.mu.Unlock()
}

// windowEnd is when the window ends, once it is open.
func (dc *drainConn) windowEnd() time.Time {
	return dc.d.at(dc.window)
}
