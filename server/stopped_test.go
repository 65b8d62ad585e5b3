package fasthttp

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// heldServer serves requests to /held until release is closed.
func heldServer(release <-chan struct{}, running chan<- struct{}, drain Drain) *Server {
	return &Server{Drain: drain, Handler: func(ctx *RequestCtx) {
		if string(ctx.Path()) == "/held" {
			running <- struct{}{}
			<-release
		}
		_, _ = ctx.Write(ctx.Path())
	}}
}

// stopCanceled stops with a context that ends as soon as the stop is set.
func (r *drainRig) stopCanceled() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.ctx)
	call := r.stopWith(ctx)
	cancel()
	if err := call.wait(); !errors.Is(err, context.Canceled) {
		r.t.Fatalf("Shutdown returned %v, want the error of its context", err)
	}
}

// A Shutdown whose context ends does not un-stop the connections that are left:
// each closes after its current response.
func TestShutdownTimedOutStaysStopped(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		r := startDrainRig(t, k, heldServer(release, running, Drain{FinalRead: -1}))
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)

		r.stopCanceled()
		report := r.s.DrainReport()
		if report.Phase != PhaseTimedOut || report.Outcomes.LeftOpen != 1 {
			t.Errorf("report %+v, want timed out, with one connection left open", report)
		}
		wantDrainAddsUp(t, report)
		if len(report.Open) != 1 || report.Open[0].State != StateActive {
			t.Errorf("still open: %+v, want one active connection", report.Open)
		}
		close(release)
		c.want("/held", saysClose)
		c.wantEOF()
	})
}

// With ForceClose what is left is closed at the end of the context, and counted.
func TestForceCloseAtTheContextsEnd(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		r := startDrainRig(t, k, heldServer(release, running, Drain{ForceClose: true}))
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		r.stopCanceled()
		if _, err := c.read(); err == nil {
			t.Errorf("a response on a connection that was to be closed by force")
		}
		report := r.s.DrainReport()
		if report.Outcomes.Forced != 1 || report.Outcomes.LeftOpen != 0 {
			t.Errorf("outcomes %+v, want one forced", report.Outcomes)
		}
		wantDrainAddsUp(t, report)
		close(release)
	})
}

// The drain ends with its last connection, not with the next tick of a clock.
func TestShutdownReturnsWithoutPolling(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		r := startDrainRig(t, drainKind{"memory", false}, heldServer(release, running, Drain{FinalRead: -1}))
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		begun := time.Now()
		call := r.begin(r.ctx)
		synctest.Wait()
		const held = 130 * time.Millisecond
		time.Sleep(held)
		close(release)
		if err := call.wait(); err != nil {
			t.Fatalf("Shutdown: %v", err)
		}
		if took := time.Since(begun) - held; took > 10*tinyRead {
			t.Fatalf("Shutdown returned %v after the last response", took)
		}
		c.wantCode(StatusOK, saysClose)
	})
}

// The survivors of a drain that timed out stay stopped while a later Serve
// serves anew, and a later Shutdown waits for them too.
func TestServeAgainAfterATimedOutShutdown(t *testing.T) {
	eachDrainKind(t, "tcp memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		r := startDrainRig(t, k, heldServer(release, running, Drain{FinalRead: -1}))
		old := r.dial()
		old.get("/held")
		r.await("the handler", running)
		ctx, cancel := context.WithCancel(r.ctx)
		call := r.stopWith(ctx)
		cancel()
		if err := call.wait(); !errors.Is(err, context.Canceled) {
			t.Fatalf("the first Shutdown returned %v, want the error of its context", err)
		}

		r.ln = newDrainListener(t, k)
		go func() { _ = r.s.Serve(r.ln) }()
		young := r.dial()
		for range 2 {
			young.get("/young")
			young.want("/young", keepAlive)
		}
		if !r.s.Ready() {
			t.Errorf("not ready in a second Serve")
		}
		second := r.begin(r.ctx)
		young.wantEOF()
		select {
		case <-second.done:
			t.Fatalf("the second Shutdown returned %v before the connection left by the first had closed", second.err)
		default:
		}
		_ = young.c.Close()
		close(release)
		old.want("/held", saysClose)
		old.wantEOF()
		_ = old.c.Close()
		if report := second.wantNil(); report.OpenAtStop != 2 {
			t.Errorf("%d connections open at the second stop, want 2", report.OpenAtStop)
		}
	})
}

func TestServeAgainAfterShutdown(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		r := startDrainRig(t, k, &Server{Drain: Drain{FinalRead: -1}})
		c := r.dialIdle()
		call := r.stop()
		c.wantEOF()
		_ = c.c.Close()
		call.wantNil()
		if r.s.Ready() {
			t.Errorf("ready after Shutdown")
		}
		r.ln = newDrainListener(t, k)
		go func() { r.served <- r.s.Serve(r.ln) }()
		c = r.dialIdle()
		if !r.s.Ready() || r.s.DrainReport().Phase != PhaseServing {
			t.Errorf("ready %v, phase %v while serving again", r.s.Ready(), r.s.DrainReport().Phase)
		}
		c.get("/again")
		c.want("/again", keepAlive)
		call = r.begin(r.ctx)
		c.wantEOF()
		_ = c.c.Close()
		call.wantNil()
	})
}

// A Serve that begins during a drain waits for its end, and then serves.
func TestServeDuringDrainWaits(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		k := drainKind{"memory", false}
		r := startDrainRig(t, k, heldServer(release, running, Drain{FinalRead: -1}))
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		call := r.stop()

		r.ln = newDrainListener(t, k)
		go func() { r.served <- r.s.Serve(r.ln) }()
		accepted := make(chan net.Conn, 1)
		go func() {
			c, err := r.ln.(interface{ Dial() (net.Conn, error) }).Dial()
			if err == nil {
				accepted <- c
			}
		}()
		synctest.Wait()
		select {
		case <-accepted:
			t.Errorf("a Serve that began during a drain accepts before its end")
		default:
		}
		close(release)
		c.want("/held", saysClose)
		if err := call.wait(); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		select {
		case conn := <-accepted:
			c := newDrainClient(t, conn)
			c.get("/anew")
			c.want("/anew", keepAlive)
			_ = conn.Close()
		case <-time.After(drainBound):
			t.Errorf("a Serve that began during a drain does not serve after it")
		}
	})
}

func TestShutdownOfAServerThatNeverServed(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		s := &Server{}
		begun := time.Now()
		for range 2 {
			if err := s.Shutdown(); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("took %v", took)
		}
		if s.Ready() {
			t.Errorf("ready after Shutdown")
		}
	})
}

// movingContext has another deadline whenever it is asked.
type movingContext struct {
	context.Context
	asked atomic.Int64
}

func (c *movingContext) Deadline() (time.Time, bool) {
	return time.Now().Add(time.Hour + time.Duration(c.asked.Add(1))*time.Second), true
}

// A context of the application's own, whose deadline moves, leaves a drain as others do.
func TestShutdownWithAContextWhoseDeadlineMoves(t *testing.T) {
	release, running := make(chan struct{}), make(chan struct{}, 1)
	r := startDrainRig(t, drainKind{net: "tcp"}, heldServer(release, running, Drain{}))
	c := r.dial()
	c.get("/held")
	r.await("the handler", running)
	call := r.stop()
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	if err := r.s.ShutdownWithContext(&movingContext{Context: ctx}); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown returned %v, want the error of its context", err)
	}
	close(release)
	c.want("/held", keepAlive)
	_ = c.c.Close()
	call.wantNil()
}
