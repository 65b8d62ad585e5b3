package fasthttp

import (
	"context"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// A connection that the accept loop has in hand at the stop, as a callback takes its
// time, is waited for and served like any other.
func TestConnectionInTheAcceptLoopsHands(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		const slow = 2*acceptTime + deafGrace
		s := &Server{ConnState: func(_ net.Conn, state ConnState) {
			if state == StateNew {
				time.Sleep(slow)
			}
		}}
		r := startDrainRig(t, drainKind{net: "memory"}, s)
		c := r.dial()
		synctest.Wait()
		call := r.stop()
		c.get("/")
		c.wantCode(StatusOK, saysClose)
		_ = c.c.Close()
		if report := call.wantNil(); report.Duration < slow || report.Accepted != 1 {
			t.Errorf("%v, want a drain of %v that has accepted one", report, slow)
		}
	})
}

// What such a connection finds when the drain has given up meanwhile is a stopped
// Server: it does not live on under the next one.
func TestConnectionInHandWhenTheDrainGivesUp(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		goOn := make(chan struct{})
		s := &Server{ConnState: func(_ net.Conn, state ConnState) {
			if state == StateNew {
				<-goOn
			}
		}}
		r := startDrainRig(t, drainKind{net: "memory"}, s)
		c := r.dial()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(r.ctx, 100*time.Millisecond)
		defer cancel()
		if err := r.s.ShutdownWithContext(ctx); err == nil {
			t.Error("Shutdown returned nil, with a connection in the accept loop's hands")
		}
		close(goOn)
		for {
			c.get("/")
			if reply, err := c.read(); err != nil || reply.shut {
				break
			}
		}
		_ = c.c.Close()
	})
}

// A connection that comes when the drain has seen the last one leave is waited
// for, or it is the next one's.
func TestConnectionThatComesAsTheDrainEnds(t *testing.T) {
	s := &Server{}
	d := s.currentDrain()
	s.stopConns(d)
	dc := s.track(nil)
	if s.endDrain(d, false) {
		t.Error("the drain has ended, with a connection of its own")
	}
	dc.served = true
	dc.release()
	if !s.endDrain(d, false) {
		t.Error("the drain has not ended, with no connection left")
	}
	if dc := s.track(nil); dc.d == d || dc.draining() {
		t.Error("a connection after the end of the drain belongs to it")
	}
	close(d.windowQuit)
	<-d.windowEnded
}

// The last callback of a connection may wait for a lock that its owner holds while
// it waits for Shutdown.
func TestLastCallbackMayWaitForTheCallerOfShutdown(t *testing.T) {
	for name, serve := range map[string]func(r *drainRig) *drainClient{
		"worker": func(r *drainRig) *drainClient { return r.dialIdle() },
		"ServeConn": func(r *drainRig) *drainClient {
			server, client := net.Pipe()
			go func() { _ = r.s.ServeConn(server) }()
			return newDrainClient(r.t, client)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inDrainBubble(t, func(t *testing.T) {
				lock := make(chan struct{}, 1) // in a bubble a Mutex stops the clock
				s := &Server{Drain: Drain{FinalRead: -1}, ConnState: func(_ net.Conn, state ConnState) {
					if state == StateClosed {
						lock <- struct{}{}
						<-lock
					}
				}}
				r := startDrainRig(t, drainKind{net: "memory"}, s)
				c := serve(r)
				synctest.Wait()
				lock <- struct{}{}
				call := r.stop()
				go func() { // it looks for FIN
					var b [1]byte
					_, _ = c.c.Read(b[:])
					_ = c.c.Close()
				}()
				err := call.wait()
				<-lock
				if err != nil {
					t.Errorf("Shutdown: %v", err)
				}
			})
		})
	}
}

// So may the one that says that a connection was hijacked.
func TestCallbackOfAHijackMayWaitForTheCallerOfShutdown(t *testing.T) {
	for _, given := range []bool{false, true} {
		inDrainBubble(t, func(t *testing.T) {
			lock, called := make(chan struct{}, 1), make(chan struct{}, 1)
			s := &Server{ConnState: func(_ net.Conn, state ConnState) {
				if state == StateHijacked {
					called <- struct{}{}
					lock <- struct{}{}
					<-lock
				}
			}}
			s.Handler = func(ctx *RequestCtx) { ctx.Hijack(func(net.Conn) {}) }
			r := startDrainRig(t, drainKind{net: "memory"}, s)
			lock <- struct{}{}
			var c *drainClient
			if given {
				server, client := net.Pipe()
				go func() { _ = r.s.ServeConn(server) }()
				c = newDrainClient(t, client)
			} else {
				c = r.dial()
			}
			c.get("/")
			c.wantCode(StatusOK, keepAlive)
			r.await("the callback", called)
			ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
			defer cancel()
			if err := r.s.ShutdownWithContext(ctx); err != nil {
				t.Errorf("given to ServeConn: %t, Shutdown: %v", given, err)
			}
			<-lock
			_ = c.c.Close()
		})
	}
}

// A connection that the kernel has given to the accept loop is waited for, too, where the
// loop is held up before it can say that it has one in hand.
func TestConnectionOnItsWayToTheAcceptLoopsHands(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		r := newDrainRig(t, k, &Server{})
		r.ln = newDrainListener(t, k)
		_, leave := r.s.enterServe(r.ln)
		raw := r.dialRaw()
		accepted, err := r.ln.Accept() // as by the loop, which goes no further
		if err != nil {
			t.Fatal(err)
		}
		call := r.stop()
		time.Sleep(acceptTime + 2*deafGrace)
		select {
		case <-call.done:
			t.Fatalf("Shutdown has returned %v without it: %v", call.err, r.s.DrainReport())
		default:
		}
		go func() { _ = r.s.ServeConn(accepted) }()
		r.awaitTrue("it is counted", func() bool { return r.s.ConnStats().Open == 1 })
		leave()
		if k.net == "tls" {
			raw = newDrainTLSClient(raw)
		}
		c := newDrainClient(t, raw)
		c.get("/")
		c.want("/", saysClose)
		c.wantEOF()
		_ = raw.Close()
		if report := call.wantNil(); report.Accepted != 1 {
			t.Errorf("%v, want one accepted", report)
		}
	})
}

// A handler that ends its goroutine, as FailNow does in a test, leaves nothing that
// Shutdown would wait for.
func TestHandlerThatEndsItsGoroutine(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		r := startDrainRig(t, drainKind{net: "memory"}, &Server{Handler: func(*RequestCtx) { runtime.Goexit() }})
		c := r.dial()
		c.get("/")
		synctest.Wait()
		if n := r.s.ConnStats().Open; n != 0 {
			t.Errorf("%d connections open", n)
		}
		ctx, cancel := context.WithTimeout(r.ctx, time.Second)
		defer cancel()
		if err := r.s.ShutdownWithContext(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		_ = c.c.Close()
	})
}

// A refused connection that lingers has no place in Concurrency to lend.
func TestRefusedConnectionsLendNoPlace(t *testing.T) {
	release, running := make(chan struct{}), make(chan struct{}, 1)
	s := heldServer(release, running, Drain{LameDuck: time.Hour, FinalRead: -1, Linger: drainBound})
	s.MaxConnsPerIP = 1
	r := startDrainRig(t, drainKind{net: "tcp"}, s)
	c := r.dial()
	c.get("/held")
	r.await("the handler", running)
	ctx, cancel := context.WithTimeout(r.ctx, time.Hour)
	call := r.begin(ctx)
	r.awaitTrue("it is a lame duck", func() bool { return r.s.DrainReport().Phase == PhaseLameDuck })
	for range 3 {
		refused := r.dial()
		refused.wantCode(StatusTooManyRequests, saysClose)
		if n := r.s.GetCurrentConcurrency(); n != 1 {
			t.Fatalf("%d connections served, want 1", n)
		}
		defer refused.c.Close()
	}
	cancel()
	close(release)
	c.want("/held", saysClose)
	_ = c.c.Close()
	_ = call.wait()
}
