package fasthttp

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp/internal/window"
)

// waitingClients are clients in a bubble, each with a connection that has been
// used once and waits.
func waitingClients(r *drainRig, n int) []*drainClient {
	r.t.Helper()
	clients := make([]*drainClient, n)
	for i := range clients {
		clients[i] = r.dialIdle()
	}
	return clients
}

// The window lasts while requests come on connections that wait, and each is
// answered; with contexts that leave time for it.
func TestWindowLastsWhileRequestsCome(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		k := drainKind{"memory", reduce}
		t.Run(k.String(), func(t *testing.T) {
			inDrainBubble(t, func(t *testing.T) {
				r := startDrainRig(t, k, &Server{})
				clients := waitingClients(r, 27)
				call := r.stop()
				stopped := time.Now()
				for i, c := range clients { // pauses of 0.2 to 1.5 s
					time.Sleep(time.Until(stopped.Add(200*time.Millisecond + time.Duration(i)*50*time.Millisecond)))
					c.get(drainPath(i))
					c.want(drainPath(i), saysClose)
					c.wantEOF()
				}
				report := call.wantNil()
				if report.FinalReadServed != len(clients) || report.Uses != len(clients) || report.WindowEnd != "empty" || report.Late != 0 {
					t.Errorf("report %v, want %d requests served and none late", report, len(clients))
				}
			})
		})
	}
}

// When a window ends, and how the report says so.
func TestWindowEnds(t *testing.T) {
	for _, test := range []struct {
		name   string
		drain  Drain
		limit  time.Duration // of the context; 0: none
		every  time.Duration // a further waiting connection is used; 0: none is
		reason string
		took   time.Duration
	}{
		{name: "never used", reason: "quiet", took: 500 * time.Millisecond},
		{name: "rarely used", every: 900 * time.Millisecond, reason: "quiet", took: 500 * time.Millisecond},
		{name: "used, but by few", every: 400 * time.Millisecond, reason: "quiet", took: 2 * time.Second},
		{name: "always used", every: 100 * time.Millisecond, reason: "limit", took: 3 * time.Second},
		{name: "always used, in 2 s", every: 100 * time.Millisecond, limit: 2 * time.Second, reason: "context", took: time.Second},
		{name: "never used, in 200 ms", limit: 200 * time.Millisecond, reason: "context", took: 100 * time.Millisecond},
		{name: "fixed", drain: Drain{FinalRead: 4 * time.Second}, every: 900 * time.Millisecond, reason: "limit", took: 4 * time.Second},
		{name: "fixed, in 2 s", drain: Drain{FinalRead: 4 * time.Second}, limit: 2 * time.Second, reason: "context", took: time.Second},
		{name: "none", drain: Drain{FinalRead: -1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inDrainBubble(t, func(t *testing.T) {
				r := startDrainRig(t, drainKind{net: "memory"}, &Server{Drain: test.drain})
				clients := waitingClients(r, 40)
				ctx, cancel := context.WithCancel(r.ctx)
				if test.limit > 0 {
					ctx, cancel = context.WithTimeout(r.ctx, test.limit)
				}
				defer cancel()
				call := r.stopWith(ctx)
				for i := 0; test.every > 0 && i < len(clients); i++ {
					select {
					case <-call.done:
						i = len(clients)
					case <-time.After(test.every):
						_, _ = fmt.Fprint(clients[i].c, drainGet("/"))
					}
				}
				report := call.wantNil()
				if report.WindowEnd != test.reason || report.Window != test.took || report.Late != 0 {
					t.Errorf("the window ended after %v by %q, want %v by %q; %v", report.Window, report.WindowEnd, test.took, test.reason, report)
				}
			})
		})
	}
}

// What the context of a Shutdown that joins leaves counts, also if it is less.
func TestWindowFitsTheLastContext(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		r := startDrainRig(t, drainKind{net: "memory"}, &Server{Drain: Drain{FinalRead: 10 * time.Second}})
		waitingClients(r, 3)
		short, cancel := context.WithTimeout(r.ctx, time.Second)
		defer cancel()
		long, cancelLong := context.WithTimeout(r.ctx, 6*time.Second)
		defer cancelLong()
		first := r.stopWith(short)
		second := r.begin(long)
		if err := first.wait(); err != context.DeadlineExceeded {
			t.Errorf("the call with the short context got %v", err)
		}
		if report := second.wantNil(); report.Window != 3*time.Second || report.WindowEnd != "context" {
			t.Errorf("report %v, want a window of half the longer context", report)
		}
	})
}

// deafClientConn is the server's side of a connection whose client never looks for
// FIN: a linger has to end by its time.
type deafClientConn struct{ net.Conn }

func (deafClientConn) CloseWrite() error { return nil }

type deafClientListener struct {
	net.Listener
	dial func() (net.Conn, error)
}

func (l deafClientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return deafClientConn{c}, nil
}

func (l deafClientListener) Dial() (net.Conn, error) { return l.dial() }

// A stop with a short context ends gracefully, whatever the clients do.
func TestShortContextsEndGracefully(t *testing.T) {
	clients := map[string]func(r *drainRig, c *drainClient){
		"idle": func(r *drainRig, c *drainClient) { c.wantEOF() },
		"busy": func(r *drainRig, c *drainClient) {
			for range 1000 {
				c.get("/")
				reply, err := c.read()
				if err != nil || reply.shut {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		},
		"rare": func(r *drainRig, c *drainClient) {
			time.Sleep(450 * time.Millisecond)
			_, _ = fmt.Fprint(c.c, drainGet("/"))
		},
		"ignores FIN": func(*drainRig, *drainClient) {},
	}
	for _, limit := range []time.Duration{5 * time.Second, 2 * time.Second, time.Second, 500 * time.Millisecond, 200 * time.Millisecond} {
		for name, client := range clients {
			for _, drain := range []Drain{{}, {FinalRead: time.Minute}, {FinalRead: -1}, {Reject: true}} {
				t.Run(fmt.Sprintf("%v/%s/%v,%v", limit, name, drain.FinalRead, drain.Reject), func(t *testing.T) {
					inDrainBubble(t, func(t *testing.T) {
						k := drainKind{net: "memory"}
						ln := newDrainListener(t, k)
						dial := ln.(interface{ Dial() (net.Conn, error) }).Dial
						r := startDrainRigOn(t, k, &Server{Drain: drain}, deafClientListener{ln, dial})
						var wg sync.WaitGroup
						for _, c := range waitingClients(r, 20) {
							wg.Go(func() { client(r, c) })
						}
						time.Sleep(20 * time.Millisecond)
						ctx, cancel := context.WithTimeout(r.ctx, limit)
						defer cancel()
						call := r.stopWith(ctx)
						report := call.wantNil()
						if v := report.Verdict(); v != "graceful" {
							t.Errorf("verdict %q: %v", v, report)
						}
						r.cancel()
						wg.Wait()
					})
				})
			}
		}
	}
}

// The closes at the window's end are paced, and take no longer than 200 ms.
func TestClosesArePaced(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		const n = 1000
		r := startDrainRig(t, drainKind{net: "memory"}, &Server{})
		var first, last atomic.Int64
		var wg sync.WaitGroup
		clients := waitingClients(r, n)
		call := r.stop()
		for _, c := range clients {
			wg.Go(func() {
				_ = c.c.SetReadDeadline(time.Time{})
				_, _ = c.br.ReadByte()
				at := int64(time.Since(r.s.drains.report.Load().stopAt))
				first.CompareAndSwap(0, at)
				last.Store(at)
			})
		}
		wg.Wait()
		call.wantNil()
		from, to := time.Duration(first.Load()), time.Duration(last.Load())
		if from < 500*time.Millisecond || to-from < 9*time.Millisecond || to-from > 200*time.Millisecond {
			t.Errorf("closed from %v to %v, want %d closes 10 us apart from 500ms on", from, to, n)
		}
	})
}

// The wake at the window's end does not land on a request that has just begun.
func TestSecondWakeDoesNotHitARunningRequest(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		s := &Server{Drain: Drain{FinalRead: 300 * time.Millisecond}}
		s.Handler = func(ctx *RequestCtx) { _, _ = ctx.Write(ctx.Request.Body()) }
		paused, resume := make(chan struct{}), make(chan struct{})
		wakes := 0
		s.currentDrain().pauseWake = func() { // called by one goroutine after the other
			if wakes++; wakes == 2 {
				close(paused)
				<-resume
			}
		}
		r := startDrainRig(t, k, s)
		c := r.dial()
		c.get("/")
		c.want("", keepAlive)
		r.await("the connection to go idle", r.idle)
		awaitReading(r, 1)
		call := r.stop()
		r.await("the window's end to find the connection parked", paused)
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
		awaitIdleTimeZero(r)
		close(resume)
		r.awaitTrue("the loop has taken its mark back", func() bool { return s.drains.report.Load().waiting.Load() == 0 })
		c.send("body")
		c.want("body", saysClose)
		c.wantEOF()
		_ = c.c.Close()
		if report := call.wantNil(); report.Uses != 1 {
			t.Errorf("report %v, want one use", report)
		}
	})
}

// lookConn has a byte of a request for its last look. The window of its drain ends
// as it parks, and what is parked is woken as it looks.
type lookConn struct {
	net.Conn

	dc   *drainConn
	read time.Time
}

func (c *lookConn) SetReadDeadline(t time.Time) error {
	c.read = t
	switch {
	case t.IsZero():
		c.dc.d.over.Store(true)
	case !t.Equal(expired):
		c.dc.d.s.wakeParked(c.dc.d, 0)
	}
	return nil
}

// The wake at the window's end does not land on the last look of a connection that
// has parked at that very moment.
func TestSecondWakeDoesNotHitALastLook(t *testing.T) {
	s, c := &Server{}, &lookConn{}
	c.dc = s.track(c)
	c.dc.d.waiters = []time.Time{{}} // no deadline
	c.dc.d.mode.Store(modeStopped)
	err := c.dc.finalRead(os.ErrDeadlineExceeded, func() error {
		if c.read.Equal(expired) {
			return os.ErrDeadlineExceeded
		}
		return nil
	})
	if err != nil || c.dc.ending == endFIN {
		t.Errorf("what was there at the last look is not served: %v", err)
	}
}

// A connection whose own window is over is parked while the drain's is open, and a
// pipeline that it then sends is answered in a window of its own.
func TestPipelineOnAParkedConnection(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		r := startDrainRig(t, drainKind{net: "memory"}, &Server{})
		clients := waitingClients(r, 12)
		call := r.stop()
		for i, c := range clients[:11] { // keeps the window open
			time.Sleep(100 * time.Millisecond)
			c.get(drainPath(i))
			c.want(drainPath(i), saysClose)
		}
		c := clients[11]
		c.send(drainGet("/a") + drainGet("/b") + drainGet("/c"))
		c.want("/a", keepAlive)
		c.want("/b", keepAlive)
		c.want("/c", saysClose)
		synctest.Wait()
		if report := call.wantNil(); report.Late != 0 || report.Uses != 12 {
			t.Errorf("report %v, want twelve uses, none late", report)
		}
	})
}

// Thousands of clients that never look for FIN: their linger fits into the context,
// too.
func TestThousandsThatIgnoreFINEndGracefully(t *testing.T) {
	const n = 4000
	// A tenth of it would do on a quiet machine.
	ctx, cancel := context.WithTimeout(context.Background(), 2*drainBound)
	defer cancel()
	r := startDrainRig(t, drainKind{net: "tcp"}, &Server{})
	conns := make([]net.Conn, n)
	for i := range conns {
		conns[i] = r.dialRaw()
	}
	r.awaitTrue("all are served", func() bool { return onTheWay(r.s) == 0 && r.s.ConnStats().New == n })
	call := r.begin(ctx)
	select {
	case <-call.done:
	case <-ctx.Done():
	}
	report := call.wantNil()
	if v := report.Verdict(); v != "graceful" || report.Outcomes.ClosedIdle != n {
		t.Errorf("verdict %q: %v", v, report)
	}
	// On a busy machine the first look may come when the window is past its limit, and
	// by more than looks are apart.
	if late := report.WindowEnd == "limit" && report.Window > 3*time.Second+window.Interval; report.WindowEnd != "quiet" && !late {
		t.Errorf("the window ended after %v by %q: %v", report.Window, report.WindowEnd, report)
	}
}
