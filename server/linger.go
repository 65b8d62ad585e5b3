package fasthttp

import (
	"crypto/tls"
	"io"
	"net"
	"time"
)

// closeNotifyTime bounds the writing of TLS's close_notify. crypto/tls itself
// waits 5 s on a full send buffer, and a worker must not.
const closeNotifyTime = 100 * time.Millisecond

// finish closes a connection after its serve loop, where upstream did: at once
// in normal life. In a drain it half-closes, and a goroutine of its own
// lingers, so that it holds neither a worker nor a slot of Concurrency or
// MaxConnsPerIP.
func (dc *drainConn) finish() {
	dc.served = true
	if !dc.lingers() {
		_ = dc.c.Close()
		dc.s.setState(dc.c, StateClosed)
		dc.release()
		return
	}
	dc.closeWrite()
	dc.freePerIP()
	go func() {
		_ = dc.linger()
		dc.s.setState(dc.c, StateClosed)
		dc.release()
	}()
}

// finishServeConn is finish for ServeConn, which promises to return with the
// connection closed: it lingers here, and lends its slot of Concurrency.
func (dc *drainConn) finishServeConn() error {
	dc.served = true
	var err error
	if dc.lingers() {
		dc.closeWrite()
		dc.freePerIP()
		dc.s.releaseConcurrency()
		err = dc.linger()
		dc.s.concurrency.Add(1)
	} else {
		err = dc.c.Close()
	}
	dc.s.setState(dc.c, StateClosed)
	return err
}

// closeRejected closes a connection that was refused over a limit. In a drain
// it lingers, as a close might destroy the response that said so.
func (s *Server) closeRejected(c net.Conn) {
	if s.currentDrain().mode.Load() == modeServing {
		_ = c.Close()
		return
	}
	dc := s.track(c, false)
	dc.bind(nil, time.Now())
	dc.fresh.Store(false)
	dc.served, dc.outcome = true, outcomeRejected
	dc.closeWrite()
	dc.freePerIP()
	go func() {
		_ = dc.linger()
		dc.release()
	}()
}

// noteLate counts bytes that came after the last look, or were left by it. What
// a refusal has answered, or what belongs to an answered request, is not late.
func (dc *drainConn) noteLate() {
	if (dc.saidClose || dc.closedFIN) && !dc.rejected && !dc.inBody {
		dc.late = true
	}
}

// lingers says whether the close has to wait for what is in flight. After the
// client's FIN, or on something that is not a socket, there is nothing to wait
// for.
func (dc *drainConn) lingers() bool {
	if !dc.draining() || dc.outcome == outcomeClientClosed {
		return false
	}
	sock, _ := stream(dc.c)
	_, ok := dc.c.(interface{ CloseWrite() error })
	return sock != nil || ok
}

// closeWrite sends FIN, after close_notify with TLS. It is called by the
// serving goroutine only, which alone may be writing; again does no harm.
func (dc *drainConn) closeWrite() {
	sock, tc := stream(dc.c)
	if tc != nil && sock != nil && handshaken(tc) {
		t := time.AfterFunc(closeNotifyTime, func() { _ = sock.SetWriteDeadline(expired) })
		_ = tc.CloseWrite()
		t.Stop()
	}
	if sock != nil {
		_ = sock.CloseWrite()
	} else if cw, ok := dc.c.(interface{ CloseWrite() error }); ok {
		_ = cw.CloseWrite()
	}
}

// handshaken says whether a handshake is complete. Only for the goroutine that
// serves the connection: another would wait for a handshake under way.
func handshaken(tc *tls.Conn) bool {
	return tc.ConnectionState().HandshakeComplete
}

// linger reads and throws away until the peer's FIN or the limits, then
// closes. Through TLS if that is established, so that the peer's close_notify
// is not taken for a request that came late.
func (dc *drainConn) linger() error {
	from := dc.c
	sock, tc := stream(dc.c)
	if sock != nil && tc != nil && !handshaken(tc) {
		from = sock
	}
	if dc.d.linger > 0 {
		_ = from.SetReadDeadline(time.Now().Add(dc.d.linger))
		if n, _ := io.CopyN(io.Discard, from, lingerBytes); n > 0 {
			dc.noteLate()
		}
	}
	if sock != nil && tc != nil {
		return sock.Close() // close_notify has been sent
	}
	switch c := dc.c.(type) { // freePerIP has used their own Close up
	case *perIPConn:
		return c.Conn.Close()
	case *perIPTLSConn:
		return c.Conn.Close()
	}
	return dc.c.Close()
}

// freePerIP gives the connection's MaxConnsPerIP slot back before its close.
func (dc *drainConn) freePerIP() {
	switch c := dc.c.(type) {
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
