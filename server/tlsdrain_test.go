package fasthttp

import (
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"
)

// A client that connects and does not complete its TLS handshake is not waited
// for longer than the window, or its least time; it gets no response.
func TestStalledHandshakeEndsWithTheWindow(t *testing.T) {
	for _, test := range []struct {
		name   string
		begins bool
	}{{"silent", false}, {"stalled within", true}} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{ReadTimeout: time.Hour, Drain: Drain{FinalRead: 50 * time.Millisecond}}
			r := startDrainRig(t, drainKind{net: "tls"}, s)
			c := r.dialRaw()
			r.awaitTrue("the connection is served", func() bool { return onTheWay(s) == 0 && s.ConnStats().New == 1 })
			if test.begins {
				// The head of a record that does not come.
				if _, err := c.Write([]byte{22, 3, 1, 2, 0}); err != nil {
					t.Fatal(err)
				}
			}
			call := r.stop()
			newDrainClient(t, c).wantEOF()
			_ = c.Close()
			call.wantNil()
		})
	}
}

// A handshake that is under way at the stop is not broken by it.
func TestHandshakeAcrossTheStop(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		s := &Server{Drain: Drain{FinalRead: 5 * time.Second}}
		r := startDrainRig(t, drainKind{"tls", reduce}, s)
		raw := r.dialRaw()
		r.awaitTrue("the handshake has begun", func() bool {
			begun := false
			s.connTable().each(func(dc *drainConn) { begun = dc.handshake != nil })
			return begun
		})
		call := r.stop()
		tc := newDrainTLSClient(raw)
		_ = tc.SetDeadline(time.Now().Add(drainBound))
		if err := tc.Handshake(); err != nil {
			t.Fatalf("the stop broke the handshake: %v", err)
		}
		c := newDrainClient(t, tc)
		c.get("/")
		c.want("/", saysClose)
		c.wantEOF()
		_ = tc.Close()
		call.wantNil()
	}
}

// holdingConn keeps the records that are written until they are released, so
// that a test can send parts of them.
type holdingConn struct {
	net.Conn
	mu      sync.Mutex
	holding bool
	held    []byte
}

func (c *holdingConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holding {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *holdingConn) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

func (c *holdingConn) hold() {
	c.mu.Lock()
	c.holding = true
	c.mu.Unlock()
}

// release sends num/den of what was held, and returns what sends the rest.
func (c *holdingConn) release(t *testing.T, num, den int) (rest func()) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.held
	c.held, c.holding = nil, false
	at := len(held) * num / den
	send := func(p []byte) {
		if _, err := c.Conn.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	send(held[:at])
	return func() { send(held[at:]) }
}

func (r *drainRig) dialHolding() (*drainClient, *holdingConn) {
	r.t.Helper()
	hc := &holdingConn{Conn: r.dialRaw()}
	tc := newDrainTLSClient(hc)
	_ = tc.SetDeadline(time.Now().Add(drainBound))
	if err := tc.Handshake(); err != nil {
		r.t.Fatal(err)
	}
	c := newDrainClient(r.t, tc)
	c.get("/before")
	c.wantCode(StatusOK, keepAlive)
	r.await("the connection to go idle", r.idle)
	return c, hc
}

// Two requests in one TLS record: what the TLS layer holds is received, though
// the socket is empty.
func TestTwoRequestsInOneTLSRecord(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		for _, size := range []int{0, 5000} { // within the reader, and beyond it
			running, release := make(chan struct{}), make(chan struct{})
			pad := make([]byte, size)
			for i := range pad {
				pad[i] = 'x'
			}
			s := &Server{ReadBufferSize: 4096, Drain: Drain{FinalRead: 5 * time.Second}, CloseOnShutdown: true}
			s.Handler = func(ctx *RequestCtx) {
				if string(ctx.Path()) == "/1" {
					close(running)
					<-release
				}
				_, _ = ctx.Write(ctx.Path())
			}
			r := startDrainRig(t, drainKind{"tls", reduce}, s)
			c := r.dialIdle()
			first := "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: " + itoa(size) + "\r\n\r\n" + string(pad)
			c.send(first + drainGet("/2"))
			r.await("the handler", running)
			call := r.stop()
			close(release)
			c.want("/1", keepAlive)
			c.want("/2", saysClose)
			c.wantEOF()
			_ = c.c.Close()
			call.wantNil()
		}
	}
}

func itoa(n int) string { return string(AppendUint(nil, n)) }

// Half a TLS record is in the socket at the last look: the rest is waited for,
// though the window is over, for [partRead].
func TestHalfATLSRecordAtTheLastLook(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		inTime(t, partRead, func() (took time.Duration, err error) {
			release, running := make(chan struct{}), make(chan struct{}, 1)
			r := startDrainRig(t, drainKind{"tls", reduce}, heldServer(release, running, Drain{FinalRead: -1, Linger: drainBound}))
			c, hc := r.dialHolding()
			c.get("/held")
			r.await("the handler", running)
			hc.hold()
			c.get("/halved")
			rest := hc.release(t, 1, 2)
			call := r.stop()
			released := time.Now()
			close(release)
			c.want("/held", keepAlive)
			rest()
			reply, err := c.read()
			took = time.Since(released)
			if want := (drainReply{StatusOK, saysClose, "/halved"}); err == nil && reply != want {
				t.Errorf("response %+v, want %+v", reply, want)
			}
			if err == nil {
				c.wantEOF()
			}
			_ = c.c.Close()
			call.wantNil()
			return took, err
		})
	}
}

// Half a record that TLS has taken from the socket is no request. When the rest
// comes after the last look, the connection is late.
func TestHalfATLSRecordAtTheWindowsEndIsLate(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		r := startDrainRig(t, drainKind{"tls", reduce}, &Server{Drain: Drain{FinalRead: 100 * time.Millisecond, Linger: drainBound}})
		c, hc := r.dialHolding()
		call := r.stop()
		hc.hold()
		c.get("/halved")
		rest := hc.release(t, 1, 2)
		c.wantEOF()
		rest()
		c.halfClose()
		if report := call.wantNil(); report.Late != 1 || report.Outcomes.ClosedIdle != 1 || r.executed.Load() != 1 {
			t.Errorf("report %+v, want one late connection, closed idle", report)
		}
	}
}

// A client that says goodbye with close_notify alone is not waited for, and is
// not counted as late.
func TestCloseNotifyOnly(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		s := &Server{Drain: Drain{FinalRead: 5 * time.Second, Linger: drainBound}}
		r := startDrainRig(t, drainKind{"tls", reduce}, s)
		c := r.dialIdle()
		call := r.stop()
		if err := c.c.(*tls.Conn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		c.wantEOF()
		if report := call.wantNil(); report.Late != 0 || report.Outcomes.ClientClosed != 1 {
			t.Errorf("report %+v, want one connection closed by the client, none late", report)
		}
	}
}

// The peer's close_notify, in answer to the server's, is not a late request.
func TestAnsweredCloseNotifyIsNotLate(t *testing.T) {
	r := startDrainRig(t, drainKind{net: "tls"}, &Server{Drain: Drain{FinalRead: -1, Linger: drainBound}})
	c := r.dialIdle()
	call := r.stop()
	c.wantEOF()
	c.halfClose()
	if report := call.wantNil(); report.Late != 0 || report.Outcomes.ClosedIdle != 1 {
		t.Errorf("report %+v, want one connection closed idle, none late", report)
	}
}
