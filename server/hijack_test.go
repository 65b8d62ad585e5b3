package fasthttp

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// Shutdown waits for hijack handlers as long as it is told to, and accounts for them.
func TestShutdownWaitsForHijackHandlers(t *testing.T) {
	const leaves = 300 * time.Millisecond // a handler, after its Done
	for _, test := range []struct {
		wait           time.Duration
		returned, left int
		took           time.Duration
	}{
		{0, 0, 2, 0},
		{100 * time.Millisecond, 0, 2, 100 * time.Millisecond},
		{time.Second, 2, 0, leaves},
	} {
		inDrainBubble(t, func(t *testing.T) {
			release, running := make(chan struct{}), make(chan struct{}, 2)
			s := &Server{Drain: Drain{Hijacked: test.wait, FinalRead: -1}}
			s.Handler = func(ctx *RequestCtx) {
				if string(ctx.Path()) == "/in-the-window" {
					running <- struct{}{}
					<-release
				}
				ctx.Hijack(func(net.Conn) {
					<-ctx.Done()
					time.Sleep(leaves)
				})
			}
			r := startDrainRig(t, drainKind{net: "memory"}, s)
			before, within := r.dial(), r.dial()
			before.get("/before")
			before.wantCode(StatusOK, keepAlive)
			within.get("/in-the-window") // hijacked after the stop
			r.await("the handler", running)
			synctest.Wait()
			call := r.stop()
			close(release)
			within.wantCode(StatusOK, keepAlive)
			began := time.Now()
			report := call.wantNil()
			if took := time.Since(began); took < test.took || took > test.took+moment {
				t.Errorf("waiting for %v: it took %v, want %v", test.wait, took, test.took)
			}
			if report.HijackedReturned != test.returned || report.HijackedLeft != test.left || report.Outcomes.Hijacked != 1 {
				t.Errorf("waiting for %v: %v, want %d returned and %d left", test.wait, report, test.returned, test.left)
			}
			time.Sleep(time.Second)
			if now := s.DrainReport(); now.HijackedLeft != test.left {
				t.Errorf("the account has changed: %v", now)
			}
			if sum := s.DrainTotals(); sum.HijackedReturned != test.returned || sum.HijackedLeft != test.left {
				t.Errorf("waiting for %v: totals %+v, want %d returned and %d left", test.wait, sum, test.returned, test.left)
			}
			_, _ = before.c.Close(), within.c.Close()
		})
	}
}

// A handler that returns while the account is read is in it once.
func TestHijackHandlerThatReturnsIsCountedOnce(t *testing.T) {
	const handlers = 200_000
	s := new(Server)
	for range handlers {
		s.drains.hijacked.begin()
	}
	d := newDrain(new(Server))
	s.stopConns(d)
	defer func() { close(d.windowQuit); <-d.windowEnded }()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range handlers {
			s.hijackEnded()
		}
	}()
	for left := handlers; left > 0; {
		returned := 0
		if returned, left, _ = s.hijacks(d); returned+left != handlers {
			t.Errorf("%d handlers returned and %d left, want %d in all", returned, left, handlers)
			break
		}
	}
	<-ended
}
