package fasthttp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func isDone(ctx *RequestCtx) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// RequestCtx.Done is closed at the stop for the requests that run then. For one
// that begins later it is closed only at the end of Shutdown's context: a
// handler that passes it on must be able to serve it.
func TestDoneOfAFinalRequest(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		var r *drainRig
		running := make(chan struct{})
		late := make(chan bool, 4)
		lateEnded := make(chan struct{})
		r = startDrainRig(t, k, &Server{
			Drain: Drain{FinalRead: 5 * time.Second},
			Handler: func(ctx *RequestCtx) {
				switch string(ctx.Path()) {
				case "/running":
					close(running)
					select {
					case <-ctx.Done():
					case <-time.After(drainBound):
						ctx.SetStatusCode(StatusTeapot)
					}
				case "/late":
					late <- isDone(ctx)
				case "/until-the-end":
					late <- isDone(ctx)
					select {
					case <-ctx.Done():
						close(lateEnded)
					case <-time.After(drainBound):
					}
				}
			},
		})
		idle := r.dialIdle()
		fresh := r.dial()
		awaitReading(r, 2)
		active := r.dial()
		active.get("/running")
		r.await("the handler", running)

		ctx, cancel := context.WithCancel(r.ctx)
		defer cancel()
		call := r.stopWith(ctx)
		active.wantCode(StatusOK, keepAlive)
		r.awaitTrue("all have seen the stop", func() bool { return r.s.ConnStats().StopSeen == 3 })
		for _, c := range []*drainClient{idle, fresh} {
			c.get("/late")
			c.wantCode(StatusOK, saysClose)
			if <-late {
				t.Errorf("Done of a request that began after the stop is closed from the start")
			}
		}
		active.get("/until-the-end")
		if <-late {
			t.Errorf("Done of the second request of a connection is closed from the start")
		}
		cancel()
		r.await("Done to be closed at the end of Shutdown's context", lateEnded)
		active.wantCode(StatusOK, saysClose)
		if err := call.wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown returned %v, want the error of its context", err)
		}
	})
}

// Connections in the accept queue at the stop get a Done of their own too.
func TestDoneOfARequestFromTheAcceptQueue(t *testing.T) {
	inTime(t, acceptTime, func() (took time.Duration, err error) {
		done := make(chan bool, 1)
		s := &Server{Drain: Drain{FinalRead: 5 * time.Second}, Handler: func(ctx *RequestCtx) { done <- isDone(ctx) }}
		held, release := holdAccepting(s, 1)
		r := startDrainRig(t, drainKind{net: "tcp"}, s)
		first := r.dial()
		r.await("the first connection", held)
		queued := r.dial()
		stopping := time.Now()
		call := r.stop()
		close(release)
		_ = first.c.Close()
		_, _ = io.WriteString(queued.c, drainGet("/queued"))
		reply, err := queued.read()
		took = time.Since(stopping)
		_ = queued.c.Close()
		call.wantNil()
		if err != nil {
			return took, err
		}
		if want := (drainReply{StatusOK, saysClose, ""}); reply != want {
			t.Errorf("response %+v, want %+v", reply, want)
		}
		if <-done {
			t.Errorf("Done of a request from the accept queue is closed from the start")
		}
		return took, nil
	})
}

// A request that times out leaves its ctx to its handler, and the connection
// takes another from the pool, which may have served before a drain.
func TestDoneAfterATimeoutOnAServerThatServesAgain(t *testing.T) {
	goOn := make(chan struct{})
	defer close(goOn)
	s := &Server{Handler: TimeoutHandler(func(ctx *RequestCtx) {
		switch string(ctx.Path()) {
		case "/slow":
			<-goOn
		case "/done":
			if isDone(ctx) {
				ctx.SetStatusCode(StatusTeapot)
			}
		}
	}, 50*time.Millisecond, "timed out")}

	const conns = 8
	for _, paths := range [][]string{{"/"}, {"/slow", "/done"}} {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(ln) }()
		open := make([]net.Conn, conns)
		for i := range open {
			if open[i], err = net.Dial("tcp4", ln.Addr().String()); err != nil {
				t.Fatal(err)
			}
			br := bufio.NewReader(open[i])
			for _, path := range paths {
				if _, err := fmt.Fprint(open[i], drainGet(path)); err != nil {
					t.Fatal(err)
				}
				var resp Response
				if err := resp.Read(br); err != nil {
					t.Fatalf("the request %q got no response: %v", path, err)
				}
				if resp.StatusCode() == StatusTeapot {
					t.Errorf("connection %d: Done is closed, by a drain that has ended", i)
				}
			}
		}
		s.Drain.FinalRead = -1
		shut := make(chan error, 1)
		go func() { shut <- s.Shutdown() }()
		for _, c := range open {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
		if err := errors.Join(<-shut, <-served); err != nil {
			t.Fatal(err)
		}
	}
}

// A handler that waits for Done, as a stream of events does, and began after the stop
// does not hold the drain to its end: Done closes when a quarter of the context is
// left, and at the bound where it has no deadline.
func TestDoneOfAFinalRequestLetsTheDrainEnd(t *testing.T) {
	background := func() (context.Context, context.CancelFunc) { return context.Background(), func() {} }
	within := func(d time.Duration) func() (context.Context, context.CancelFunc) {
		return func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), d)
		}
	}
	for name, test := range map[string]struct {
		lameDuck time.Duration
		ctx      func() (context.Context, context.CancelFunc)
		joins    func() (context.Context, context.CancelFunc) // another call of Shutdown
		holds    time.Duration                                // after the stop
	}{
		"Shutdown":             {ctx: background, holds: doneBound},
		"a context to cancel":  {ctx: func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }, holds: doneBound},
		"8 s":                  {ctx: within(8 * time.Second), holds: 6 * time.Second},
		"a minute":             {ctx: within(time.Minute), holds: 45 * time.Second},
		"400 ms":               {ctx: within(400 * time.Millisecond), holds: 300 * time.Millisecond},
		"a lame duck of it":    {lameDuck: 2 * time.Second, ctx: within(10 * time.Second), holds: 6 * time.Second},
		"who comes has longer": {ctx: within(4 * time.Second), joins: within(8 * time.Second), holds: 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inDrainBubble(t, func(t *testing.T) {
				began, ended := make(chan struct{}), make(chan time.Time, 1)
				r := startDrainRig(t, drainKind{net: "memory"}, &Server{
					Drain: Drain{LameDuck: test.lameDuck},
					Handler: func(ctx *RequestCtx) {
						if string(ctx.Path()) == "/stream" {
							close(began)
							<-ctx.Done()
							ended <- time.Now()
						}
					},
				})
				c := r.dialIdle()
				ctx, cancel := test.ctx()
				defer cancel()
				call := r.begin(ctx)
				if test.joins != nil {
					longer, cancel := test.joins()
					defer cancel()
					call = r.begin(longer)
				}
				synctest.Wait()
				time.Sleep(test.lameDuck)
				synctest.Wait()
				stop := time.Now()
				c.get("/stream")
				r.await("the handler", began)
				held := (<-ended).Sub(stop)
				if held < test.holds || held > test.holds+deafGrace {
					t.Errorf("Done was closed %v after the stop, want %v", held, test.holds)
				}
				c.wantCode(StatusOK, saysClose)
				_ = c.c.Close()
				if report := call.wantNil(); report.Verdict() != "graceful" {
					t.Errorf("the drain was not graceful: %v", report)
				}
			})
		})
	}
}

// A ctx comes from a pool, and may have served a final request of an earlier drain.
func TestDoneOnAServerThatServesAgain(t *testing.T) {
	s := &Server{Drain: Drain{FinalRead: 5 * time.Second}, Handler: func(ctx *RequestCtx) {
		if isDone(ctx) {
			ctx.SetStatusCode(StatusTeapot)
		}
	}}
	for range 4 { // as a pool keeps some and drops some
		r := startDrainRig(t, drainKind{net: "tcp"}, s)
		clients := make([]*drainClient, 8)
		for i := range clients {
			clients[i] = r.dial()
			clients[i].get("/")
			clients[i].wantCode(StatusOK, keepAlive)
		}
		call := r.begin(r.ctx)
		r.awaitTrue("all have seen the stop", func() bool { return s.ConnStats().StopSeen == len(clients) })
		for _, c := range clients {
			c.get("/")
		}
		for _, c := range clients {
			c.wantCode(StatusOK, saysClose)
			_ = c.c.Close()
		}
		call.wantNil()
	}
}
