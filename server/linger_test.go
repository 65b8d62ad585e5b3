package fasthttp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A connection that is refused over a limit during a drain has its request
// unread. It gets its refusal and FIN, where a close would reset it.
func TestRejectedConnectionIsNotResetDuringDrain(t *testing.T) {
	for _, test := range []struct {
		limit string
		code  int
		set   func(*Server)
	}{
		{"Concurrency", StatusServiceUnavailable, func(s *Server) { s.Concurrency = 1 }},
		{"MaxConnsPerIP", StatusTooManyRequests, func(s *Server) { s.MaxConnsPerIP = 1 }},
	} {
		t.Run(test.limit, func(t *testing.T) {
			inTime(t, acceptTime, func() (took time.Duration, err error) {
				release, running := make(chan struct{}), make(chan struct{}, 1)
				s := heldServer(release, running, Drain{FinalRead: -1})
				test.set(s)
				// The accept loop is held before it hands over the second
				// connection, or before it accepts it.
				at := int32(2)
				if test.limit == "MaxConnsPerIP" {
					at = 1
				}
				held, goOn := holdAccepting(s, at)
				r := startDrainRig(t, drainKind{net: "tcp"}, s)
				first := r.dial()
				first.get("/held")
				second := r.dial()
				second.get("/refused")
				r.await("the accept loop", held)
				if at == 2 {
					r.await("the handler", running)
				}
				stopping := time.Now()
				call := r.stop()
				close(goOn)
				reply, err := second.read()
				took = time.Since(stopping)
				if err == nil && reply.code != test.code {
					t.Errorf("response %+v, want status %d", reply, test.code)
				}
				if err == nil {
					second.wantEOF()
				}
				_ = second.c.Close()
				close(release)
				_ = first.c.Close()
				if report := call.wantNil(); err == nil && report.Outcomes.Rejected != 1 {
					t.Errorf("outcomes %+v, want one rejected", report.Outcomes)
				}
				return took, err
			})
		})
	}
}

// A close with unread bytes resets the connection, and may destroy the response
// on its way. In a drain it half-closes, reads on, and closes at the peer's FIN.
func TestCloseDoesNotResetDuringDrain(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		body := strings.Repeat("x", 1<<20)
		s := heldServer(release, running, Drain{Linger: drainBound})
		s.CloseOnShutdown = true
		handler := s.Handler
		s.Handler = func(ctx *RequestCtx) {
			handler(ctx)
			ctx.SetConnectionClose()
			ctx.SetBodyString(body)
		}
		r := startDrainRig(t, k, s)
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		call := r.stop()
		c.get("/never-read") // lies in the socket when the connection closes
		close(release)
		c.want(body, saysClose)
		for range 64 { // and more, while the server lingers
			c.get("/never-read")
		}
		c.wantEOF()
		c.halfClose()
		if report := call.wantNil(); report.Outcomes.ClosedAfterResponse != 1 || r.executed.Load() != 1 {
			t.Errorf("%d executed and %+v, want 1 and a connection closed after its response", r.executed.Load(), report.Outcomes)
		}
	})
}

// A lingering connection holds neither a worker nor a slot of Concurrency or
// of MaxConnsPerIP: another is served meanwhile, with one of each.
func TestLingerHoldsNoSlot(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		r := startDrainRig(t, k, &Server{
			Drain:         Drain{LameDuck: time.Hour, Linger: drainBound},
			Concurrency:   1,
			MaxConnsPerIP: 1,
		})
		c := r.dialIdle()
		call := r.begin(r.ctx)
		r.awaitTrue("the lame duck", func() bool { return r.s.DrainReport().Phase == PhaseLameDuck })
		c.get("/last")
		c.want("/last", saysClose)
		c.wantEOF() // half-closed: it lingers
		next := r.dial()
		next.get("/next")
		next.want("/next", saysClose)
		next.wantEOF()
		if st := r.s.ConnStats(); st.Open != 2 || st.Active != 2 {
			t.Errorf("connections %+v, want two, active while they linger", st)
		}
		_ = c.c.Close()
		_ = next.c.Close()
		r.cancel()
		_ = call.wait()
	})
}

// A handler that TimeoutHandler has answered for reads its streamed body on: the linger
// takes no part out of it.
func TestLingerTakesNothingFromATimedOutHandler(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		running, answer := make(chan struct{}), make(chan struct{})
		type upload struct {
			body []byte
			err  error
		}
		got := make(chan upload, 1)
		s := &Server{StreamRequestBody: true}
		s.Handler = func(ctx *RequestCtx) {
			go func() {
				body, err := io.ReadAll(ctx.RequestBodyStream())
				got <- upload{body, err}
			}()
			close(running)
			<-answer
			ctx.TimeoutError("it took too long") // as TimeoutHandler does
		}
		r := startDrainRig(t, k, s)
		c := r.dial()
		c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
		r.await("the handler", running)
		call := r.stop()
		var sent strings.Builder
		for i := range 100 {
			if i == 10 {
				close(answer)
			}
			part := drainPath(i)
			if _, err := fmt.Fprintf(c.c, "%x\r\n%s\r\n", len(part), part); err != nil {
				break
			}
			sent.WriteString(part)
			time.Sleep(3 * time.Millisecond)
		}
		_, _ = io.WriteString(c.c, "0\r\n\r\n")
		c.wantCode(StatusRequestTimeout, saysClose)
		have := <-got
		if all := sent.String(); !strings.HasPrefix(all, string(have.body)) || have.err == nil && string(have.body) != all {
			t.Errorf("the handler has read %q (%v), which is not how %q begins", have.body, have.err, all)
		}
		_ = c.c.Close()
		call.wantNil()
	})
}

// A client that keeps its connection after FIN is left at the limit.
func TestLingerEndsWithItsTime(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		r := startDrainRig(t, k, &Server{Drain: Drain{FinalRead: -1, Linger: 20 * time.Millisecond}})
		c := r.dialIdle()
		call := r.stop()
		c.wantEOF()
		call.wantNil()
	})
}

// One that sends without end is left at the limit of bytes.
func TestLingerEndsWithItsBytes(t *testing.T) {
	r := startDrainRig(t, drainKind{net: "tcp"}, &Server{Drain: Drain{FinalRead: -1, Linger: time.Hour}})
	c := r.dialIdle()
	call := r.stop()
	sent := make(chan int, 1)
	go func() {
		n := 0
		chunk := make([]byte, 1<<16)
		for {
			m, err := c.c.Write(chunk)
			n += m
			if err != nil {
				break
			}
		}
		sent <- n
	}()
	call.wantNil()
	if n := <-sent; n < lingerBytes {
		t.Errorf("the connection was closed after %d bytes, want at least %d", n, lingerBytes)
	}
}

// heldCloseListener hands out connections whose Close waits for release.
type heldCloseListener struct {
	net.Listener
	closing chan struct{}
	release chan struct{}
}

type heldCloseConn struct {
	net.Conn
	ln   *heldCloseListener
	once sync.Once
}

func (ln *heldCloseListener) Accept() (net.Conn, error) {
	c, err := ln.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &heldCloseConn{Conn: c, ln: ln}, nil
}

func (ln *heldCloseListener) Dial() (net.Conn, error) {
	return ln.Listener.(interface{ Dial() (net.Conn, error) }).Dial()
}

func (c *heldCloseConn) Close() error {
	c.once.Do(func() { close(c.ln.closing) })
	<-c.ln.release
	return c.Conn.Close()
}

// Shutdown returns when the connections are closed, and not when upstream's
// counter says that they were served.
func TestShutdownWaitsForTheClose(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		k := drainKind{net: "memory"}
		ln := &heldCloseListener{newDrainListener(t, k), make(chan struct{}), make(chan struct{})}
		r := startDrainRigOn(t, k, &Server{Drain: Drain{FinalRead: -1}}, ln)
		r.dialIdle()
		call := r.stop()
		r.await("the close", ln.closing)
		time.Sleep(time.Minute)
		synctest.Wait()
		select {
		case <-call.done:
			t.Errorf("Shutdown returned %v before the last connection was closed", call.err)
		default:
		}
		close(ln.release)
		call.wantNil()
	})
}

// A client that never reads is left when its WriteTimeout is over.
func TestClientThatNeverReadsIsBoundedByWriteTimeout(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		// Not the Server's own, which would bound the TLS handshake, too.
		s := &Server{Drain: Drain{Linger: 50 * time.Millisecond}}
		s.HeaderReceived = func(*RequestHeader) RequestConfig { return RequestConfig{WriteTimeout: 100 * time.Millisecond} }
		writing, goOn := make(chan struct{}), make(chan struct{})
		s.Handler = func(ctx *RequestCtx) {
			ctx.SetBodyStream(&endlessBody{begun: writing, goOn: goOn}, -1)
		}
		r := startDrainRig(t, k, s)
		c := r.dial()
		c.get("/")
		r.await("the response", writing)
		call := r.stop() // before its WriteTimeout, however long that takes
		close(goOn)
		if report := call.wantNil(); report.Outcomes.Error != 1 {
			t.Errorf("outcomes %+v, want one error", report.Outcomes)
		}
	})
}

// Without a WriteTimeout the context bounds it.
func TestClientThatNeverReadsIsBoundedByTheContext(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		s := &Server{Drain: Drain{ForceClose: true}}
		writing := make(chan struct{})
		s.Handler = func(ctx *RequestCtx) {
			ctx.SetBodyStream(&endlessBody{begun: writing}, -1)
		}
		r := startDrainRig(t, k, s)
		c := r.dial()
		c.get("/")
		r.await("the response", writing)
		call := r.stop()
		select {
		case <-call.done:
			t.Fatalf("Shutdown returned %v while a response is written", call.err)
		default:
		}
		r.cancel()
		if err := call.wait(); err == nil {
			t.Errorf("Shutdown returned nil at the end of its context")
		}
		if report := r.s.DrainReport(); report.Outcomes.Forced != 1 {
			t.Errorf("outcomes %+v, want one forced", report.Outcomes)
		}
	})
}

// endlessBody is a response that fills every buffer. If it has goOn, it waits for that
// before it begins.
type endlessBody struct {
	begun chan struct{}
	goOn  <-chan struct{}
	n     int
}

func (b *endlessBody) Read(p []byte) (int, error) {
	switch b.n++; {
	case b.n == 1 && b.goOn != nil:
		close(b.begun)
		<-b.goOn
	case b.n == 64 && b.goOn == nil:
		close(b.begun)
	}
	if b.n > 1<<20 {
		return 0, errors.New("somebody reads")
	}
	clear(p)
	return len(p), nil
}

var _ io.Reader = (*endlessBody)(nil)
