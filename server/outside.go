package fasthttp

import (
	"net"
	"sync"
	"time"
)

// This file has what a drain does to connections from outside: its own goroutine runs
// it, with the lock of the connection's shard held, beside the one that serves the
// connection. What that one does is in serveconn.go, finalread.go and waiting.go.

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
			dc.accounted, dc.late = false, false
			dc.cut = min(dc.cut, cutIdle)
		}
	})
	d.mu.Lock()
	d.open = open
	d.hijacks.stopped = true
	_, d.hijacks.endedBefore = s.drains.hijacked.load()
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

// wake interrupts the wait of a connection, so that its loop notes the stop.
// Call with shard.mu held.
func (dc *drainConn) wake(d *drain) {
	switch {
	case dc.stopSeen:
	case dc.handshake != nil:
		_ = dc.handshake.limitFrom(d.stopAt)
	case !dc.waiting():
	default:
		dc.countWaiting()
		if d.pauseWake != nil {
			d.pauseWake()
		}
		over := d.over.Load()
		if dc.parked = !over && dc.sleeps() || over && dc.patient(time.Now()); !dc.parked {
			dc.interrupt()
		}
	}
}

// sleeps says whether a Read is not interrupted before the window ends, as it could
// not be resumed: TLS on something that is no socket does not survive a timeout that
// is not a net.Error, and an unknown wrapper may be at a header of its own, or at a
// handshake, before its first request.
func (dc *drainConn) sleeps() bool {
	if sock, _ := stream(dc.Conn); sock != nil {
		return false
	}
	_, isTLS := dc.Conn.(tlsConn)
	return isTLS || !known(dc.Conn) && dc.isNew()
}

// newTime is how old a connection is before upstream's Shutdown closes it where it
// has not begun a request.
const newTime = 5 * time.Second

// patient says whether a connection is left alone though the window has ended, as
// upstream leaves it: its type is unknown, it has not begun a request, and what its
// Read may be at, a header or a handshake, cannot be resumed. With TLS on it that is
// over when the loop begins.
func (dc *drainConn) patient(now time.Time) bool {
	return dc.unknownNew() && (dc.since.Load() == 0 || now.Before(dc.patientUntil()))
}

// patientUntil is when that ends: upstream counts whole seconds.
func (dc *drainConn) patientUntil() time.Time {
	return time.Unix(time.Unix(0, dc.since.Load()).Add(newTime).Unix(), 0)
}

func (dc *drainConn) unknownNew() bool {
	_, isTLS := dc.Conn.(tlsConn)
	return dc.isNew() && !isTLS && !known(dc.Conn)
}

// isNew says whether a connection waits for its first request; also between upstream's
// first word and enterLoop, where that word looks like one of an idle connection. In
// this order, see state.
func (dc *drainConn) isNew() bool {
	begun := dc.since.Load() != 0
	idle := dc.idle.Load()
	return idle == neverIdle || !begun && idle != 0
}

// endPatience says whether to close a connection that was left alone at the end of the
// window: from outside, as upstream does. What its Read would make of a timeout
// nobody knows. Call with shard.mu held.
func (dc *drainConn) endPatience(now time.Time) bool {
	return dc.parked && dc.cut == cutNot && dc.d.over.Load() && dc.unknownNew() && !dc.patient(now)
}

// interrupt wakes the Read of a connection. Call with shard.mu held. The method of
// an unknown wrapper may block: it is called without the lock, and the serving
// goroutine waits for its end before it goes on (see awaitWaker).
func (dc *drainConn) interrupt() {
	if known(dc.Conn) {
		_ = dc.Conn.SetReadDeadline(expired)
		return
	}
	if dc.waking {
		return // that sets the same deadline, and the loop waits for it
	}
	c, sh := dc.Conn, dc.shard
	dc.waking = true
	if sh.woken == nil {
		sh.woken = make(chan struct{})
	}
	go func() {
		_ = c.SetReadDeadline(expired)
		sh.mu.Lock()
		dc.waking = false
		close(sh.woken)
		sh.woken = make(chan struct{}) // others may be waking yet
		sh.mu.Unlock()
	}()
}

// noticeBy is when a connection that obeys its deadlines has stopped waiting. One that
// is idle but in no wait that the drain knows of has yet to come to it, and will note
// the stop there: the application may be told so long that it is idle.
// Call with shard.mu held.
func (dc *drainConn) noticeBy(d *drain) time.Time {
	switch {
	case dc.handshake != nil:
		return dc.handshake.until
	case dc.head != 0:
		return dc.d.at(dc.head) // which may be an earlier drain
	case !dc.waiting(), !dc.waits, dc.parked:
	case dc.window != 0:
		return dc.windowEnd().Add(dc.lookTime())
	case d.over.Load() && dc.stopSeen:
		return d.closedBy.Add(dc.lookTime())
	case d.over.Load():
		return d.closedBy
	}
	return time.Now().Add(time.Hour)
}

// abort is the close of a connection from outside its goroutine, without the close
// notification that a TLS connection would wait to send: nothing that is read from
// now on is served. It returns what to close. Call with shard.mu held, and close
// without.
func (dc *drainConn) abort() net.Conn {
	dc.cut = max(dc.cut, cutIdle)
	return below(dc.Conn)
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
