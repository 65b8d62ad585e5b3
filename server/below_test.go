package fasthttp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
)

// disguisedConn is TLS that does not look so: what it exports is the socket.
type disguisedConn struct {
	net.Conn
	tls *tls.Conn
}

func (c disguisedConn) Read(b []byte) (int, error)  { return c.tls.Read(b) }
func (c disguisedConn) Write(b []byte) (int, error) { return c.tls.Write(b) }
func (c disguisedConn) Close() error                { return c.tls.Close() }

// countedConn counts what is read.
type countedConn struct {
	net.Conn
	read atomic.Int64
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// flushingConn sends what was written at its Close, as a compression may.
type flushingConn struct {
	net.Conn
	bw *bufio.Writer
}

func (c flushingConn) Write(b []byte) (int, error) { return c.bw.Write(b) }

func (c flushingConn) Close() error {
	_ = c.bw.Flush()
	return c.Conn.Close()
}

// flushingTCPConn has a CloseWrite, too, which is not its own.
type flushingTCPConn struct {
	*net.TCPConn
	bw *bufio.Writer
}

func (c *flushingTCPConn) Write(b []byte) (int, error) { return c.bw.Write(b) }

func (c *flushingTCPConn) Close() error {
	_ = c.bw.Flush()
	return c.TCPConn.Close()
}

// flushingCloser has that of what is in an interface.
type flushingCloser struct {
	halfCloser
	bw *bufio.Writer
}

func (c flushingCloser) Write(b []byte) (int, error) { return c.bw.Write(b) }

func (c flushingCloser) Close() error {
	_ = c.bw.Flush()
	return c.halfCloser.Close()
}

// What a wrapper sends at its Close comes before the FIN.
func TestWrapperHasItsLastWord(t *testing.T) {
	eachDrainKind(t, "tcp", func(t *testing.T, k drainKind) {
		t.Run("tls", func(t *testing.T) {
			config := drainTestTLS()
			r := startWrapped(t, k, &Server{}, func(c net.Conn) net.Conn {
				return disguisedConn{c, tls.Server(c, config)}
			})
			raw := &countedConn{Conn: r.dialRaw()}
			c := newDrainClient(t, newDrainTLSClient(raw))
			c.get("/")
			c.want("/", keepAlive)
			awaitReading(r, 1)
			call, before := r.stop(), raw.read.Load()
			c.wantEOF()
			if raw.read.Load() == before {
				t.Error("the end came without close_notify")
			}
			_ = c.c.Close()
			if report := call.wantNil(); report.Late != 0 {
				t.Errorf("%v, want none late: that was the client's close_notify", report)
			}
		})
		for name, wrap := range map[string]func(net.Conn, *bufio.Writer) net.Conn{
			"flush":                 func(c net.Conn, bw *bufio.Writer) net.Conn { return flushingConn{c, bw} },
			"flush over CloseWrite": func(c net.Conn, bw *bufio.Writer) net.Conn { return &flushingTCPConn{c.(*net.TCPConn), bw} },
			"flush below": func(c net.Conn, bw *bufio.Writer) net.Conn {
				return struct{ *flushingTCPConn }{&flushingTCPConn{c.(*net.TCPConn), bw}}
			},
			"flush over a closer": func(c net.Conn, bw *bufio.Writer) net.Conn { return flushingCloser{c.(halfCloser), bw} },
		} {
			t.Run(name, func(t *testing.T) {
				running, release := make(chan struct{}, 1), make(chan struct{})
				s := heldServer(release, running, Drain{})
				s.CloseOnShutdown = true
				r := startWrapped(t, k, s, func(c net.Conn) net.Conn { return wrap(c, bufio.NewWriterSize(c, 1<<16)) })
				c := r.dial()
				c.get("/held")
				r.await("the handler", running)
				call := r.stop()
				close(release)
				c.want("/held", saysClose)
				c.wantEOF()
				_ = c.c.Close()
				call.wantNil()
			})
		}
	})
}

// A wrapper that exports its socket and has no CloseWrite lingers: bytes that nobody reads
// make no reset, and are counted.
func TestWrapperLingersOnItsSocket(t *testing.T) {
	eachDrainKind(t, "tcp", func(t *testing.T, k drainKind) {
		for name, wrap := range map[string]func(net.Conn) net.Conn{
			"no CloseWrite":      func(c net.Conn) net.Conn { return struct{ net.Conn }{c} },
			"a Close of its own": func(c net.Conn) net.Conn { return ownCloseConn{c.(*net.TCPConn)} },
		} {
			t.Run(name, func(t *testing.T) {
				r := startWrapped(t, k, &Server{Drain: Drain{FinalRead: -1, Linger: drainBound}}, wrap)
				c := r.dialIdle()
				awaitReading(r, 1)
				call := r.stop()
				c.wantEOF()
				c.get("/late")
				c.get("/late")
				_ = c.c.(*net.TCPConn).CloseWrite()
				if _, err := c.c.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("after bytes that came late: %v, want no reset", err)
				}
				if report := call.wantNil(); report.Late != 1 {
					t.Errorf("%v, want one late", report)
				}
			})
		}
	})
}

// keepingConn keeps its socket open at its Close.
type keepingConn struct{ net.Conn }

func (keepingConn) Close() error { return nil }

// What the Close of a wrapper leaves open is nobody's to be half-closed.
func TestWrapperThatKeepsItsSocket(t *testing.T) {
	eachDrainKind(t, "tcp", func(t *testing.T, k drainKind) {
		accepted := make(chan net.Conn, 1)
		r := startWrapped(t, k, &Server{Drain: Drain{FinalRead: -1}}, func(c net.Conn) net.Conn {
			accepted <- c
			return keepingConn{c}
		})
		c := r.dialIdle()
		awaitReading(r, 1)
		if err := r.s.ShutdownWithContext(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		socket := <-accepted
		if _, err := io.WriteString(socket, "more"); err != nil {
			t.Errorf("the socket was half-closed: %v", err)
		}
		b := make([]byte, 4)
		if _, err := io.ReadFull(c.c, b); err != nil || string(b) != "more" {
			t.Errorf("%q, %v", b, err)
		}
		_, _ = socket.Close(), c.c.Close()
		r.stop().wantNil()
	})
}

// slowlyClosedConn has closed its socket long before its Close returns.
type slowlyClosedConn struct {
	net.Conn
	left <-chan struct{}
}

func (c slowlyClosedConn) Close() error {
	err := c.Conn.Close()
	<-c.left
	return err
}

// The FIN does not wait for that.
func TestWrapperWhoseCloseTakesItsTime(t *testing.T) {
	eachDrainKind(t, "tcp", func(t *testing.T, k drainKind) {
		left := make(chan struct{})
		r := startWrapped(t, k, &Server{}, func(c net.Conn) net.Conn { return slowlyClosedConn{c, left} })
		c := r.dialIdle()
		awaitReading(r, 1)
		call := r.stop()
		c.wantEOF()
		close(left)
		_ = c.c.Close()
		call.wantNil()
	})
}

// A connection that the drain forces is closed, also the descriptor of our own.
func TestWrapperIsForcedInItsLinger(t *testing.T) {
	eachDrainKind(t, "tcp", func(t *testing.T, k drainKind) {
		s := &Server{Drain: Drain{FinalRead: -1, Linger: 10 * drainBound, ForceClose: true}}
		r := startWrapped(t, k, s, func(c net.Conn) net.Conn { return struct{ net.Conn }{c} })
		c := r.dialIdle()
		awaitReading(r, 1)
		ctx, cancel := context.WithCancel(r.ctx)
		call := r.begin(ctx)
		c.wantEOF()
		cancel()
		if err := call.wait(); err != context.Canceled {
			t.Errorf("Shutdown: %v", err)
		}
		r.awaitTrue("its record has ended", func() bool { return r.s.ConnStats().Open == 0 })
		_ = c.c.Close()
	})
}

// noTLSConn exports a connection that is none.
type noTLSConn struct {
	nilConn
	Conn *tls.Conn
}

// noSocketConn exports a socket that is none.
type noSocketConn struct {
	nilConn
	Conn *net.TCPConn
}

// emptiedConn exports its socket, below what it is, and lets go of it at its Close, which
// comes twice.
type emptiedConn struct {
	nilConn
	socketConn
}

type socketConn struct{ *net.TCPConn }

func (c *emptiedConn) Close() error {
	c.TCPConn = nil
	return c.nilConn.Close()
}

// What a wrapper exports may be nothing, from the beginning or once it is closed: that is
// asked for nothing.
func TestWrapperOfNothing(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"no TLS":        func(c net.Conn) net.Conn { return noTLSConn{nilConn: nilConn{Conn2: c}} },
		"no socket":     func(c net.Conn) net.Conn { return noSocketConn{nilConn: nilConn{Conn2: c}} },
		"none embedded": func(c net.Conn) net.Conn { return &emptiedConn{nilConn: nilConn{Conn2: c}} },
		"none any more": func(c net.Conn) net.Conn { return &emptiedConn{nilConn{Conn2: c}, socketConn{c.(*net.TCPConn)}} },
	} {
		t.Run(name, func(t *testing.T) {
			running, release := make(chan struct{}, 1), make(chan struct{})
			r := startWrapped(t, drainKind{net: "tcp"}, heldServer(release, running, Drain{}), wrap)
			idle, c := r.dialIdle(), r.dial()
			awaitReading(r, 1)
			c.get("/held")
			r.await("the handler", running)
			call := r.stop()
			idle.wantEOF()
			close(release)
			c.want("/held", keepAlive)
			c.wantEOF()
			_, _ = idle.c.Close(), c.c.Close()
			call.wantNil()
		})
	}
}

// resettingConn resets its socket at its Close.
type resettingConn struct{ net.Conn }

func (c resettingConn) Close() error {
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	return c.Conn.Close()
}

// So it does in a drain: nothing makes an orderly end of that.
func TestWrapperResets(t *testing.T) {
	eachDrainKind(t, "tcp", func(t *testing.T, k drainKind) {
		r := startWrapped(t, k, &Server{Drain: Drain{FinalRead: -1}}, func(c net.Conn) net.Conn { return resettingConn{c} })
		c := r.dialIdle()
		awaitReading(r, 1)
		call := r.stop()
		if _, err := c.c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the client got %v, want a reset", err)
		}
		call.wantNil()
	})
}

// What TimeoutHandler answers while a body is on its way comes whole, though nobody reads
// that body.
func TestWrapperAnswersATimedOutUpload(t *testing.T) {
	eachDrainKind(t, "tcp", func(t *testing.T, k drainKind) {
		running, answer := make(chan struct{}), make(chan struct{})
		long := make([]byte, 4<<20)
		s := &Server{StreamRequestBody: true, Drain: Drain{Linger: drainBound}}
		s.Handler = func(ctx *RequestCtx) {
			close(running)
			<-answer
			resp := AcquireResponse()
			defer ReleaseResponse(resp)
			resp.SetStatusCode(StatusRequestTimeout)
			resp.SetBodyRaw(long)
			ctx.TimeoutErrorWithResponse(resp)
		}
		r := startWrapped(t, k, s, func(c net.Conn) net.Conn { return struct{ net.Conn }{c} })
		c := r.dial()
		c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		r.await("the handler", running)
		call := r.stop()
		c.send("5\r\nhello\r\n")
		close(answer)
		c.wantCode(StatusRequestTimeout, saysClose)
		c.wantEOF()
		_ = c.c.Close()
		call.wantNil()
	})
}
