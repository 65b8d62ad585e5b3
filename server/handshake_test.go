package fasthttp

import (
	"crypto/tls"
	"net"
	"testing"
	"time"
)

type protoConn struct {
	net.Conn
	read time.Time
}

func (c *protoConn) SetReadDeadline(t time.Time) error { c.read = t; return nil }

func (c *protoConn) Handshake() error { return nil }

func (c *protoConn) ConnectionState() (s tls.ConnectionState) { return s }

// The drain does not wake a connection of a NextProto handler.
func TestWakeDoesNotHitANextProto(t *testing.T) {
	s, c := &Server{}, &protoConn{}
	dc := s.track(c)
	hc := &handshakeConn{Conn: c, tlsConn: c, dc: dc}
	_ = hc.begin()
	dc.d.stopAt = time.Now()
	dc.d.mode.Store(modeStopped)
	hc.end(true)
	dc.d.pauseWake = func() { _ = c.SetReadDeadline(zeroTime) } // as getNextProto does
	dc.shard.mu.Lock()
	dc.wake(dc.d)
	dc.shard.mu.Unlock()
	if !c.read.IsZero() {
		t.Errorf("the handler has got a connection with the deadline %v", c.read)
	}
}

// A panic in a handshake leaves nothing behind in the record.
func TestPanicInHandshakeLeavesNothing(t *testing.T) {
	s, c := &Server{}, &protoConn{}
	dc := s.track(c)
	_ = (&handshakeConn{Conn: c, tlsConn: c, dc: dc}).begin()
	dc.release() // as ServeConn defers it
	if dc.handshaking {
		t.Error("the record's next connection counts as in its handshake")
	}
}
