package fasthttp

import (
	"crypto/tls"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"
)

// closeNotifyTime bounds the writing of TLS's close_notify. crypto/tls itself
// waits 5 s on a full send buffer, and a worker must not.
const closeNotifyTime = 100 * time.Millisecond

// ackPause is the pause between two looks for the peer's acknowledgement.
const ackPause = 5 * time.Millisecond

// Close closes a connection after its serve loop: at once in normal life. In a
// drain it half-closes and lingers, which takes none of the application's slots:
// that of MaxConnsPerIP is given back, and a worker leaves all of it to
// workerState.
func (dc *drainConn) Close() error {
	dc.served = true
	if !dc.lingers() {
		return dc.Conn.Close()
	}
	if dc.pooled {
		dc.lingering = true
		return nil
	}
	return dc.linger()
}

// closeServed is ServeConn's close of the connection, whose place in Concurrency is
// lent meanwhile. Then its record has ended: the callback that follows may wait for
// the lock of somebody who waits for Shutdown.
func closeServed(record **drainConn) error {
	dc := *record
	*record = nil
	defer dc.release()
	if dc.draining() {
		dc.d.s.concurrency.Add(^uint32(0))
		defer dc.d.s.concurrency.Add(1)
	}
	return dc.Close()
}

// closeRejected closes a connection that was refused over a limit. In a drain
// it lingers, as a close might destroy the response that said so.
func (s *Server) closeRejected(c net.Conn) {
	if s.currentDrain().mode.Load() == modeServing {
		_ = c.Close()
		return
	}
	dc := s.track(c)
	dc.since.Store(time.Now().UnixNano())
	dc.outcome = endRefused.outcome(true, nil)
	go func() {
		_ = dc.Close()
		dc.release()
	}()
}

// noteLate counts bytes that came after the last look, or were left by it, or by
// a close from outside. What a refusal has answered, or what belongs to an answered
// request, is not late.
func (dc *drainConn) noteLate(shut bool) {
	switch dc.ending {
	case endRefused:
		return
	case endClose, endFIN:
	default:
		if !shut {
			return
		}
	}
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	if dc.accounted && !dc.late { // its drain has ended, and does not count it any more
		dc.d.count.late.Add(1)
	}
	dc.late = true
}

// lingers says whether the close is one of a drain, on something that can be
// half-closed, or exports its socket. After the client's FIN the linger is over at once.
func (dc *drainConn) lingers() bool {
	if !dc.draining() {
		return false
	}
	if dc.d.mode.Load() >= modeStopped {
		dc.seeStop() // no deadline but that of the linger from here on
	}
	return halfCloserOf(dc.Conn) != nil || socketBelow(dc.Conn) != nil
}

// closeWrite sends FIN, after close_notify with TLS. It is called by the
// serving goroutine only, which alone may be writing.
func (dc *drainConn) closeWrite() {
	if dc.halfClosed {
		return
	}
	dc.halfClosed = true
	sock, tc := stream(dc.Conn)
	if tc != nil && handshaken(tc) {
		below := tc.NetConn()
		t := time.AfterFunc(closeNotifyTime, func() { _ = below.SetWriteDeadline(expired) })
		_ = tc.CloseWrite()
		t.Stop()
	}
	if sock != nil {
		_ = sock.CloseWrite()
	} else if cw := halfCloserOf(dc.Conn); cw != nil && tc == nil {
		_ = cw.CloseWrite()
	}
}

// handshaken says whether a handshake is complete. Only for the goroutine that
// serves the connection: another would wait for a handshake under way.
func handshaken(tc *tls.Conn) bool {
	return tc.ConnectionState().HandshakeComplete
}

// linger half-closes, reads and throws away until the peer's FIN or the limits,
// then closes. Through TLS if that is established, so that the peer's close_notify
// is not taken for a request that came late. It reads nothing where a handler that
// TimeoutHandler has answered for may read its body still, which would have a hole then:
// there it only waits for the peer to acknowledge what it was sent.
func (dc *drainConn) linger() error {
	dc.freePerIP()
	if halfCloserOf(dc.Conn) == nil {
		return dc.lingerBelow()
	}
	dc.closeWrite()
	from, below := dc.Conn, below(dc.Conn)
	sock, tc := stream(dc.Conn)
	if sock != nil && (tc == nil || !handshaken(tc)) {
		from = sock
	}
	linger := dc.d.rest(dc.d.linger)
	if from != net.Conn(sock) && blocks(sock) {
		linger = 0 // a Read through TLS would obey no deadline
	}
	if linger > 0 {
		end := time.Now().Add(linger)
		if sock == nil { // it may not obey that
			defer time.AfterFunc(linger+deafGrace, func() { _ = below.Close() }).Stop()
		}
		runtime.Gosched() // let others half-close: then the peer's FIN is there as a rule
		var request bool
		var err error
		if !dc.bodyTaken {
			request, err = discard(from, lingerBytes, end)
		}
		if request {
			dc.noteLate(false)
		}
		if sock != nil {
			dc.awaitAcknowledged(sock, err, end)
		}
	}
	return below.Close()
}

// lingerBelow closes a connection of an unknown type as upstream does, by its own Close:
// what is still to be sent before a FIN, by TLS in disguise or a compression, only that
// knows. Then it lingers on the socket that the wrapper exports, which a descriptor of our
// own keeps open, or bytes that nobody has read would make a reset of the Close. It does so
// on a goroutine of its own, as the Close may take its time, or panic, when it has closed
// the socket.
func (dc *drainConn) lingerBelow() error {
	sock, c := socketBelow(dc.Conn), below(dc.Conn)
	if sock == nil || dc.d.rest(dc.d.linger) <= 0 {
		return c.Close()
	}
	kept := keep(sock)
	if kept == nil {
		return c.Close()
	}
	returned, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer kept.Close()
		if awaitClose(sock, returned) {
			dc.lingerOnKept(kept)
		}
	}()
	defer func() {
		close(returned)
		<-ended
	}()
	return c.Close()
}

// awaitClose waits until a Close has closed a socket, and says whether it has when it has
// returned. What it leaves open is somebody else's.
func awaitClose(sock syscall.Conn, returned <-chan struct{}) (closed bool) {
	for pause := ackPause; isOpen(sock); pause = min(2*pause, keptPause) {
		select {
		case <-returned:
			return !isOpen(sock)
		case <-time.After(pause):
		}
	}
	return true
}

// keptPause is the pause between two looks whether the drain has forced a connection that
// lingers on a descriptor of our own, which the Close from outside does not close.
const keptPause = 50 * time.Millisecond

// lingerOnKept half-closes a socket that only we have still, and lingers on it. The limit
// of bytes is that of each pause: what sends so slowly is bounded by the time.
func (dc *drainConn) lingerOnKept(kept *os.File) {
	if resetsAtClose(kept) || halfClose(kept) != nil {
		return
	}
	end := time.Now().Add(dc.d.rest(dc.d.linger))
	if dc.bodyTaken {
		dc.awaitAcknowledged(kept, nil, end)
		return
	}
	request := false
	for {
		var err error
		if kept.SetReadDeadline(earlier(end, time.Now().Add(keptPause))) != nil {
			return
		}
		request, err = discardOn(kept, lingerBytes, request)
		forced := dc.d.set.ForceClose && dc.d.mode.Load() == modeAbandoned
		if isTimeout(err) && !forced && time.Now().Before(end) {
			continue
		}
		if request {
			dc.noteLate(false)
		}
		if !forced {
			dc.awaitAcknowledged(kept, err, end)
		}
		return
	}
}

// awaitAcknowledged is the end of a linger whose reads have ended with err: it waits
// until the peer has acknowledged what it was sent, unless that did.
func (dc *drainConn) awaitAcknowledged(sock syscall.Conn, err error, end time.Time) {
	for err == nil && time.Now().Before(end) {
		if left, ok := unacknowledged(sock); ok && left == 0 {
			break
		}
		time.Sleep(ackPause)
	}
	if err == nil || isTimeout(err) {
		if left, ok := unacknowledged(sock); ok && left > 0 {
			dc.d.count.undelivered.Add(1)
		}
	}
}

// discardRead is discard where Read has to be called.
func discardRead(c net.Conn, limit int, deadline time.Time) (request bool, err error) {
	_ = c.SetReadDeadline(deadline)
	s := newScrap()
	defer scraps.Put(s)
	for limit > 0 && err == nil {
		var n int
		n, err = c.Read(s.b[:min(len(s.b), limit)])
		limit -= n
		request = request || beginsRequest(s.b[:n])
	}
	return request, err
}

// freePerIP gives the connection's MaxConnsPerIP slot back before its close.
func (dc *drainConn) freePerIP() {
	switch c := dc.Conn.(type) {
	case *perIPConn:
		if !c.closed.Swap(true) {
			c.perIPConnCounter.Unregister(c.ip)
		}
	case *perIPTLSConn:
		if !c.closed.Swap(true) {
			c.perIPConnCounter.Unregister(c.ip)
		}
	}
}
