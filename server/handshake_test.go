package fasthttp

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// slowConn is a client at a long way: it reads what comes a while later.
type slowConn struct {
	net.Conn
	way time.Duration
}

func (c *slowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	time.Sleep(c.way)
	return n, err
}

// A callback of the TLS configuration that takes longer than a handshake may wait
// for its client does not cost the client its connection, nor the time for its answer.
func TestSlowCertificateAcrossTheStop(t *testing.T) {
	inTime(t, handshakeTime+DefaultFinalRead, func() (time.Duration, error) { return slowCertificate(t) })
}

// slowCertificate says how long the client took from the certificate on.
func slowCertificate(t *testing.T) (took time.Duration, err error) {
	t.Helper()
	asked, give := make(chan struct{}), make(chan struct{})
	config := drainTestTLS().Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		close(asked)
		<-give
		return nil, nil
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{}
	r := startDrainRigOn(t, drainKind{net: "tls"}, s, tls.NewListener(tcp, config))
	raw := r.dialRaw()
	tc := newDrainTLSClient(&slowConn{raw, 3 * stallTime})
	c := newDrainClient(t, tc)
	shaken := make(chan error, 1)
	_ = tc.SetDeadline(time.Now().Add(drainBound))
	go func() { shaken <- tc.Handshake() }()
	<-asked
	call := r.stop()
	var limit *time.Timer
	r.awaitTrue("the handshake's limit has passed twice", func() (passed bool) {
		s.connTable().each(func(dc *drainConn) {
			now := dc.handshake.limit
			passed = limit != nil && now != limit
			if limit == nil {
				limit = now
			}
		})
		return passed
	})
	given := time.Now()
	close(give)
	if err := <-shaken; err != nil {
		return time.Since(given), fmt.Errorf("the stop broke the handshake: %w", err)
	}
	_, _ = io.WriteString(tc, drainGet("/"))
	reply, err := c.read()
	if took = time.Since(given); err != nil {
		return took, err
	}
	if want := (drainReply{StatusOK, saysClose, "/"}); reply != want {
		t.Errorf("response %+v, want %+v", reply, want)
	}
	c.wantEOF()
	_ = tc.Close()
	call.wantNil()
	return took, nil
}

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
	hc := &handshakeConn{Conn: c, tlsConn: c, dc: dc, shard: dc.shard}
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
	_ = (&handshakeConn{Conn: c, tlsConn: c, dc: dc, shard: dc.shard}).begin()
	dc.release() // as ServeConn defers it
	if dc.handshake != nil {
		t.Error("the record's next connection counts as in its handshake")
	}
}

// The stop comes to a connection whose handshake is about to begin, and leaves it alone.
func TestWakeLeavesAHandshakeThatBegins(t *testing.T) {
	client, accepted := tcpPair(t)
	s := &Server{}
	c := tls.Server(accepted, drainTestTLS())
	dc := s.track(c)
	dc.shard.mu.Lock()
	begun := make(chan error, 1)
	go func() {
		_, err := dc.getNextProto()
		begun <- err
	}()
	// Nothing tells that it waits for the lock: the fault is there once the word says so.
	for end := time.Now().Add(100 * time.Millisecond); dc.idle.Load() != neverIdle && time.Now().Before(end); {
		runtime.Gosched()
	}
	dc.d.stopAt = time.Now()
	dc.d.mode.Store(modeStopped)
	dc.wake(dc.d)
	dc.shard.mu.Unlock()
	tc := newDrainTLSClient(client)
	_ = tc.SetDeadline(time.Now().Add(drainBound))
	if err := tc.Handshake(); err != nil {
		t.Errorf("the client's handshake: %v", err)
	}
	if err := <-begun; err != nil {
		t.Errorf("the server's: %v", err)
	}
}
