package fasthttp

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A program that ends when Serve returns has answered what was running.
func TestServeReturnsWithItsDrain(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		draining := make(chan struct{})
		r := startDrainRig(t, k, heldServer(release, running, Drain{FinalRead: -1, OnPhase: func(p DrainPhase) {
			if p == PhaseDraining {
				close(draining)
			}
		}}))
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		call := r.stop()
		r.await("the close of the listeners", draining)
		select {
		case <-r.served:
			t.Fatal("Serve returned at the beginning of its drain")
		default:
		}
		close(release)
		if err := <-r.served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
		if report := r.s.DrainReport(); report.Phase != PhaseStopped {
			t.Errorf("Serve returned in phase %v, want the end of its drain", report.Phase)
		}
		c.want("/held", saysClose)
		_ = c.c.Close()
		call.wantNil()
	})
}

// Serve does not wait for ever: what its drain waits for may wait for Serve, as a
// handler does that calls Shutdown, or a main that ends its streams afterwards.
func TestServeReturnsInTime(t *testing.T) {
	for name, end := range map[string]func(s *Server, serveEnded <-chan struct{}){
		"a handler that calls Shutdown": func(s *Server, _ <-chan struct{}) {
			ctx, cancel := context.WithTimeout(context.Background(), serveBound+time.Second)
			defer cancel()
			_ = s.ShutdownWithContext(ctx)
		},
		"a stream that ends when Serve returns": func(_ *Server, serveEnded <-chan struct{}) { <-serveEnded },
	} {
		t.Run(name, func(t *testing.T) {
			inDrainBubble(t, func(t *testing.T) {
				serveEnded := make(chan struct{})
				running := make(chan struct{}, 1)
				s := &Server{}
				s.Handler = func(*RequestCtx) {
					running <- struct{}{}
					end(s, serveEnded)
				}
				r := startDrainRig(t, drainKind{net: "memory"}, s)
				c := r.dial()
				c.get("/")
				r.await("the handler", running)
				began := time.Now()
				ctx, cancel := context.WithTimeout(r.ctx, serveBound+time.Second)
				defer cancel()
				call := r.begin(ctx)
				if err := <-r.served; err != nil {
					t.Errorf("Serve returned %v", err)
				}
				if took := time.Since(began); took > serveBound {
					t.Errorf("Serve returned %v after the stop", took)
				}
				close(serveEnded)
				_ = call.wait()
				_ = c.c.Close()
			})
		})
	}
}

// A listener whose Serve has failed is closed by Shutdown, as nobody else does.
func TestListenerOfAFailedServeIsClosed(t *testing.T) {
	r := newDrainRig(t, drainKind{net: "tcp"}, &Server{})
	inner := newDrainListener(t, drainKind{net: "tcp"})
	full := errors.New("too many open files")
	ln := &fullListener{Listener: inner, err: full}
	if err := r.s.Serve(ln); err != full {
		t.Fatalf("Serve returned %v, want %v", err, full)
	}
	if err := r.s.Serve(ln); err != full { // tries again
		t.Fatalf("Serve returned %v, want %v", err, full)
	}
	if err := r.s.Shutdown(); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if c, err := net.Dial("tcp", inner.Addr().String()); err == nil {
		_ = c.Close()
		t.Errorf("the listener is open after Shutdown")
	}
	if l := r.s.DrainReport().Listeners; len(l) != 1 {
		t.Errorf("listeners %+v, want one", l)
	}
}

// fullListener is one whose Accept fails with err.
type fullListener struct {
	net.Listener
	err error
}

func (l *fullListener) Accept() (net.Conn, error) { return nil, l.err }

// funcListener cannot be compared.
type funcListener struct {
	net.Listener
	closed func()
}

func (l funcListener) Close() error {
	l.closed()
	return l.Listener.Close()
}

// Listeners that cannot be compared are all closed, also at one address.
func TestIncomparableListenersAreAllClosed(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		k := drainKind{net: "memory"}
		r := newDrainRig(t, k, &Server{})
		var closed atomic.Int32
		for range 2 {
			ln := funcListener{newDrainListener(t, k), func() { closed.Add(1) }}
			go func() { r.served <- r.s.Serve(ln) }()
		}
		synctest.Wait()
		if err := r.s.Shutdown(); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if n := closed.Load(); n != 2 {
			t.Errorf("%d listeners closed, want 2", n)
		}
		for range 2 {
			if err := <-r.served; err != nil {
				t.Errorf("Serve returned %v", err)
			}
		}
	})
}

// A callback that blocks holds Shutdown no longer than its context, and the next
// Serve and Shutdown not at all. Its calls stay in order.
func TestStuckOnPhaseHoldsNothing(t *testing.T) {
	for stuck := PhaseClosingListeners; stuck <= PhaseStopped; stuck++ {
		t.Run(stuck.String(), func(t *testing.T) {
			inDrainBubble(t, func(t *testing.T) {
				goOn := make(chan struct{})
				var mu sync.Mutex
				var seen []DrainPhase
				k := drainKind{net: "memory"}
				r := startDrainRig(t, k, &Server{})
				r.s.Drain.OnPhase = func(p DrainPhase) {
					if p == stuck {
						<-goOn
					}
					mu.Lock()
					defer mu.Unlock()
					seen = append(seen, p)
				}
				c := r.dialIdle()
				_ = c.c.Close()
				synctest.Wait()
				const patience = 3 * time.Second
				ctx, cancel := context.WithTimeout(r.ctx, patience)
				defer cancel()
				began := time.Now()
				_ = r.s.ShutdownWithContext(ctx)
				if took := time.Since(began); took > patience+moment {
					t.Errorf("Shutdown took %v, with a context of %v", took, patience)
				}

				r.s.Drain.OnPhase = nil
				r.ln = newDrainListener(t, k)
				go func() { r.served <- r.s.Serve(r.ln) }()
				anew := r.dial()
				anew.get("/anew")
				anew.wantCode(StatusOK, keepAlive)
				_ = anew.c.Close()
				if err := r.s.Shutdown(); err != nil {
					t.Errorf("a second Shutdown: %v", err)
				}
				close(goOn)
				synctest.Wait()
				for i, p := range seen[1:] {
					if p <= seen[i] {
						t.Errorf("phases %v", seen)
					}
				}
			})
		})
	}
}

// One stop is one drain, also if an accept loop is held up meanwhile: another
// Shutdown afterwards has nothing to do, and its account is that of the first.
func TestSleepingAcceptLoopIsOneStop(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		s := heldServer(release, running, Drain{FinalRead: -1})
		s.Concurrency = 1
		s.SleepWhenConcurrencyLimitsExceeded = 3 * time.Second
		r := startDrainRig(t, drainKind{net: "memory"}, s)
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		refused := r.dial()
		synctest.Wait() // the loop sleeps
		call := r.stop()
		close(release)
		c.want("/held", saysClose)
		_, _ = c.c.Close(), refused.c.Close()
		first := call.wantNil()
		for range 3 {
			if err := r.s.Shutdown(); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		}
		if again := r.s.DrainReport(); !again.Started.Equal(first.Started) {
			t.Errorf("another drain began: %v", again)
		}
		if totals := r.s.DrainTotals(); totals.Drains != 1 {
			t.Errorf("%d drains, want 1", totals.Drains)
		}
	})
}

// slowListener takes its time to close.
type slowListener struct {
	net.Listener
	closed atomic.Bool
}

func (l *slowListener) Close() error {
	time.Sleep(2 * acceptTime)
	err := l.Listener.Close()
	l.closed.Store(true)
	return err
}

// Shutdown returns nil only when the listener is closed, as its caller may take the
// address anew; the connections do not wait for that.
func TestShutdownWaitsForTheCloseOfAListener(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		k := drainKind{net: "memory"}
		inner := newDrainListener(t, k)
		ln := &slowListener{Listener: inner}
		r := startDrainRigOn(t, k, &Server{}, ln)
		r.ln = inner
		c := r.dialIdle()
		call := r.stop()
		c.wantEOF()
		if ln.closed.Load() {
			t.Error("the connection waited for the listener")
		}
		_ = c.c.Close()
		report := call.wantNil()
		if !ln.closed.Load() {
			t.Errorf("Shutdown has returned, and the listener is open: %v", report)
		}
		if l := report.Listeners; len(l) != 1 || l[0].Addr == "" {
			t.Errorf("listeners %+v, want one with its address", l)
		}
	})
}

// A connection that is deaf to its deadline is closed while the Close of a listener, and
// an Accept that only this ends, take their time.
func TestDeafConnectionDoesNotWaitForTheCloseOfAListener(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		k := drainKind{net: "memory"}
		inner := newDrainListener(t, k)
		ln := &slowListener{Listener: wrapListener{inner, func(c net.Conn) net.Conn { return perReadConn{c} }}}
		r := startDrainRigOn(t, k, &Server{Drain: Drain{FinalRead: -1}}, ln)
		r.ln = inner
		c := r.dialIdle()
		begun := time.Now()
		call := r.stop()
		c.wantEOF()
		if took := time.Since(begun); took > acceptTime {
			t.Errorf("it was closed after %v", took)
		}
		_ = c.c.Close()
		call.wantNil()
	})
}
