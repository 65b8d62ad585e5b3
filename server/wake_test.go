package fasthttp

import (
	"bufio"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pausedWake makes the drain of s pause between the load of a connection's state
// and the deadline that wakes it, until resume is closed.
func pausedWake(s *Server) (paused <-chan struct{}, resume chan struct{}) {
	p := make(chan struct{})
	resume = make(chan struct{})
	var once atomic.Bool
	s.currentDrain().pauseWake = func() {
		if once.CompareAndSwap(false, true) {
			close(p)
			<-resume
		}
	}
	return p, resume
}

// The drain reads "idle", the loop goes active, and then the drain's deadline
// lands: not on the request that has begun.
func TestWakeDoesNotHitARunningRequest(t *testing.T) {
	for _, test := range []struct {
		name        string
		readTimeout time.Duration
		handler     func(*testing.T, *drainRig, *RequestCtx)
	}{
		{name: "a body that comes later"},
		{name: "with a ReadTimeout", readTimeout: time.Minute},
		{name: "a deadline of the handler's own", handler: func(t *testing.T, r *drainRig, ctx *RequestCtx) {
			if err := ctx.Conn().SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
				s := &Server{ReadTimeout: test.readTimeout, StreamRequestBody: test.handler != nil, Drain: Drain{FinalRead: 5 * time.Second}}
				var r *drainRig
				s.Handler = func(ctx *RequestCtx) {
					if test.handler != nil {
						test.handler(t, r, ctx)
					}
					_, _ = ctx.Write(ctx.Request.Body())
				}
				paused, resume := pausedWake(s)
				r = startDrainRig(t, k, s)
				c := r.dial()
				c.get("/")
				c.want("", keepAlive)
				r.await("the connection to go idle", r.idle)
				awaitReading(r, 1)

				call := r.begin(r.ctx)
				r.await("the drain to find the connection idle", paused)
				c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
				// The loop reads the first byte, stores that it is active, and
				// meets the drain, which holds the shard's lock.
				awaitIdleTimeZero(r)
				close(resume)
				r.await("the stop", r.stopped)
				c.send("body")
				c.want("body", saysClose)
				c.wantEOF()
				_ = c.c.Close()
				call.wantNil()
			})
		})
	}
}

// awaitReading waits until the loops of n connections are blocked in Read.
func awaitReading(r *drainRig, n int) {
	r.t.Helper()
	r.settle()
	r.awaitTrue("the loops wait for requests", func() bool {
		reading := 0
		for _, stack := range goroutinesOfServer() {
			if (strings.Contains(stack, "[IO wait") || strings.Contains(stack, "pipeConn).Read(") || strings.Contains(stack, "net.(*pipe).read(")) &&
				strings.Contains(stack, "serveConnCounted") && !strings.Contains(stack, "getNextProto") {
				reading++
			}
		}
		return reading >= n
	})
}

// awaitIdleTimeZero waits, without the shard's lock, until the only connection
// has gone active.
func awaitIdleTimeZero(r *drainRig) {
	r.t.Helper()
	r.awaitTrue("the connection has gone active", func() bool {
		r.s.idleConnsMu.Lock()
		defer r.s.idleConnsMu.Unlock()
		for _, idle := range r.s.idleConns {
			if idle.Load() == 0 {
				return true
			}
		}
		return false
	})
}

// A hijacked connection is not woken either.
func TestWakeDoesNotHitAHijackedConnection(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		s := &Server{Drain: Drain{FinalRead: 5 * time.Second}}
		s.Handler = func(ctx *RequestCtx) {
			if string(ctx.Path()) != "/hijack" {
				return
			}
			ctx.SetStatusCode(StatusSwitchingProtocols)
			ctx.Hijack(echoLine)
		}
		paused, resume := pausedWake(s)
		r := startDrainRig(t, k, s)
		c := r.dial()
		c.get("/")
		c.want("", keepAlive)
		r.await("the connection to go idle", r.idle)
		awaitReading(r, 1)
		call := r.begin(r.ctx)
		r.await("the drain to find the connection idle", paused)
		c.get("/hijack")
		awaitIdleTimeZero(r)
		close(resume)
		c.wantCode(StatusSwitchingProtocols, keepAlive)
		call.wantNil()
		c.send("after the drain\n")
		if line, err := c.br.ReadString('\n'); line != "after the drain\n" {
			t.Errorf("the hijacked connection sent %q, %v", line, err)
		}
	})
}

// echoLine sends back one line.
func echoLine(c net.Conn) {
	if line, err := bufio.NewReader(c).ReadString('\n'); err == nil {
		_, _ = c.Write([]byte(line))
	}
}

// A loop that goes idle and a stop that is set at the same moment: whichever is
// first, the connection notes the stop and gets its window.
func TestGoingIdleAgainstTheStop(t *testing.T) {
	for _, stopFirst := range []bool{true, false} {
		name := "idle is stored before the stop is set"
		if stopFirst {
			name = "the stop is set before idle is stored"
		}
		t.Run(name, func(t *testing.T) {
			eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
				at := make(chan struct{})
				goOn := make(chan struct{})
				hold := func() {
					close(at)
					<-goOn
				}
				s := &Server{Drain: Drain{FinalRead: 5 * time.Second}}
				if stopFirst {
					s.Handler = func(ctx *RequestCtx) {
						_, _ = ctx.Write(ctx.Path())
						if string(ctx.Path()) == "/first" {
							hold()
						}
					}
				} else {
					// Called when idle has been stored, before the loop waits.
					s.ConnState = func(_ net.Conn, state ConnState) {
						if state == StateIdle && s.Ready() {
							hold()
						}
					}
				}
				r := startDrainRig(t, k, s)
				c := r.dial()
				c.get("/first")
				r.await("the barrier", at)
				call := r.stop()
				close(goOn)
				c.want("/first", keepAlive)
				r.awaitTrue("the loop has seen the stop", func() bool { return s.ConnStats().StopSeen == 1 })
				c.get("/second")
				c.want("/second", saysClose)
				c.wantEOF()
				_ = c.c.Close()
				call.wantNil()
			})
		})
	}
}
