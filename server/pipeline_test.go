package fasthttp

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Eight requests arrive at once, and the stop is set while the k-th is served.
// All are answered, in order, and only the last response says close.
func TestPipelineCutByTheStop(t *testing.T) {
	const n = 8
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		for at := int32(1); at <= n; at++ {
			for _, closeOnShutdown := range []bool{false, true} {
				cutPipeline(t, k, n, at, closeOnShutdown)
			}
		}
	})
}

func cutPipeline(t *testing.T, k drainKind, n, at int32, closeOnShutdown bool) {
	t.Helper()
	var r *drainRig
	var served atomic.Int32
	var call *drainCall
	begun := make(chan struct{})
	r = startDrainRig(t, k, &Server{
		CloseOnShutdown: closeOnShutdown,
		Drain:           Drain{FinalRead: 5 * time.Second},
		Handler: func(ctx *RequestCtx) {
			if served.Add(1) == at {
				call = r.begin(r.ctx)
				select {
				case <-r.stopped:
				case <-call.done:
				}
				close(begun)
			}
			_, _ = ctx.Write(ctx.Path())
		},
	})
	c := r.dial()
	var batch strings.Builder
	for i := range int(n) {
		batch.WriteString(drainGet(drainPath(i + 1)))
	}
	c.send(batch.String())
	for i := int32(1); i <= n; i++ {
		have, err := c.read()
		if err != nil {
			t.Fatalf("stop in request %d, CloseOnShutdown %v: response %d of %d: %v (%d executed)",
				at, closeOnShutdown, i, n, err, r.executed.Load())
		}
		// A request that ran at the stop says close only if the application
		// asked for it. One that began later does, if it is the last.
		last := i == n && (at < n || closeOnShutdown)
		if want := (drainReply{StatusOK, last, drainPath(int(i))}); have != want {
			t.Fatalf("stop in request %d, CloseOnShutdown %v: response %+v, want %+v", at, closeOnShutdown, have, want)
		}
	}
	r.await("the stop", begun)
	if at < n || closeOnShutdown {
		c.wantEOF()
	}
	_ = c.c.Close()
	report := call.wantNil()
	if executed := r.executed.Load(); executed != n {
		t.Errorf("stop in request %d: %d requests executed, %d answered", at, executed, n)
	}
	if want := int(n - at); report.FinalReadServed != want {
		t.Errorf("stop in request %d: %d requests counted as served in final reads, want %d", at, report.FinalReadServed, want)
	}
}

// What has been computed is sent, though the rest of the pipeline is left when
// the window ends: executed means answered.
func TestExecutedMeansAnsweredAtTheWindowsEnd(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		var r *drainRig
		var call *drainCall
		begun := make(chan struct{})
		r = startDrainRig(t, k, &Server{
			Drain: Drain{FinalRead: -1},
			Handler: func(ctx *RequestCtx) {
				if string(ctx.Path()) == "/3" {
					call = r.begin(r.ctx)
					<-r.stopped
					close(begun)
				}
				_, _ = ctx.Write(ctx.Path())
			},
		})
		c := r.dial()
		batch := ""
		for i := 1; i <= 8; i++ {
			batch += drainGet(drainPath(i))
		}
		c.send(batch)
		answered := int32(0)
		shut := false
		for !shut {
			reply, err := c.read()
			if err != nil {
				t.Fatalf("after %d responses: %v", answered, err)
			}
			answered++
			shut = reply.shut
		}
		c.wantEOF()
		_ = c.c.Close()
		r.await("the stop", begun)
		report := call.wantNil()
		if executed := r.executed.Load(); executed != answered || answered < 3 || answered == 8 {
			t.Errorf("%d executed, %d answered, want the same number, below 8 without a window", executed, answered)
		}
		if report.Late != 1 {
			t.Errorf("late %d, want 1 for the connection with requests left", report.Late)
		}
	})
}

// A request arrives byte by byte, and the stop comes between two of its bytes.
func TestRequestByteByByteAcrossTheStop(t *testing.T) {
	request := "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		for _, at := range []int{0, 1, len(request) / 2, len(request) - 1} {
			for _, first := range []bool{true, false} {
				r := startDrainRig(t, k, &Server{Drain: Drain{FinalRead: 5 * time.Second}})
				var c *drainClient
				if first {
					c = r.dial()
				} else {
					c = r.dialIdle()
				}
				for i := range at {
					c.send(request[i : i+1])
				}
				if at > 0 {
					r.awaitTrue("the request has begun", func() bool { return r.s.ConnStats().Active == 1 })
				} else {
					r.awaitTrue("the connection is served", func() bool { return onTheWay(r.s) == 0 && r.s.ConnStats().Open == 1 })
				}
				call := r.stop()
				for i := range request[at:] {
					c.send(request[at+i : at+i+1])
				}
				// Begun before the stop, the response does not say close; the
				// connection then closes at the end of its window, or sooner
				// if the client does.
				c.want("/slow", at == 0)
				if at == 0 {
					c.wantEOF()
				}
				_ = c.c.Close()
				call.wantNil()
			}
		}
	})
}

// After a response that did not say close, the client's next request is served.
func TestNextRequestAfterAResponseWithoutClose(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		release := make(chan struct{})
		running := make(chan struct{})
		r := startDrainRig(t, k, &Server{
			Drain: Drain{FinalRead: 5 * time.Second},
			Handler: func(ctx *RequestCtx) {
				if string(ctx.Path()) == "/running" {
					close(running)
					<-release
				}
				_, _ = ctx.Write(ctx.Path())
			},
		})
		c := r.dial()
		c.get("/running")
		r.await("the handler", running)
		call := r.stop()
		close(release)
		c.want("/running", keepAlive)
		r.settle()
		c.get("/next")
		c.want("/next", saysClose)
		c.wantEOF()
		_ = c.c.Close()
		call.wantNil()
	})
}

// The window of a running request begins with the end of its response, however
// long it ran, and further requests do not prolong it.
func TestWindowBeginsAfterTheRunningRequest(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		running := make(chan struct{})
		r := startDrainRig(t, drainKind{"memory", false}, &Server{Handler: func(ctx *RequestCtx) {
			close(running)
			time.Sleep(3 * time.Second)
		}})
		c := r.dial()
		c.get("/")
		r.await("the handler", running)
		call := r.stop()
		c.wantCode(StatusOK, keepAlive)
		answered := time.Now()
		c.wantEOF()
		if took := time.Since(answered); took < DefaultFinalRead || took > DefaultFinalRead+2*tinyRead {
			t.Errorf("closed %v after the response, want %v", took, DefaultFinalRead)
		}
		call.wantNil()
	})
}

// A pipeline that the window is too short for does not keep a drain from ending.
func TestPipelineWithoutEndIsCutAtTheWindow(t *testing.T) {
	const window, requests, before = 100 * time.Millisecond, 1000, 100
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		s := &Server{Drain: Drain{FinalRead: window, Linger: drainBound}}
		var r *drainRig
		reached := make(chan struct{})
		s.Handler = func(ctx *RequestCtx) {
			switch n := r.executed.Load(); {
			case n == before:
				close(reached)
				<-r.stopped
			case n > before: // so that the rest takes longer than the window, and all of it is there
				time.Sleep(window / before)
			}
			_, _ = ctx.Write(ctx.Path())
		}
		r = startDrainRig(t, k, s)
		c := r.dial()
		go func() { _, _ = io.WriteString(c.c, strings.Repeat(drainGet("/more"), requests)) }()
		r.await("requests to be served", reached)
		call := r.stop()
		shut := false
		for !shut {
			reply, err := c.read()
			if err != nil {
				t.Fatalf("no last response, but %v", err)
			}
			shut = reply.shut
		}
		c.wantEOF()
		_ = c.c.Close()
		if report := call.wantNil(); report.Late != 1 {
			t.Errorf("late %d, want 1: requests were left", report.Late)
		}
		if n := r.executed.Load(); n == requests {
			t.Errorf("all %d requests were executed, in a window of %v", n, window)
		}
	})
}
