package fasthttp

import (
	"bufio"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A refused final read is answered with one 503, whatever is pipelined behind
// it, and no handler runs.
func TestRejectAnswers503Once(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		r := startDrainRig(t, k, &Server{Drain: Drain{FinalRead: 5 * time.Second, Reject: true, RetryAfter: 1500 * time.Millisecond}})
		c := r.dialIdle()
		call := r.stop()
		c.send(drainGet("/1") + drainGet("/2") + drainGet("/3"))
		_ = c.c.SetReadDeadline(time.Now().Add(drainBound))
		res, err := http.ReadResponse(c.br, nil)
		if err != nil || res.StatusCode != StatusServiceUnavailable || !res.Close || res.Header.Get(HeaderRetryAfter) != "2" {
			t.Fatalf("%+v, %v, want a 503 that says close and to come back in 2 s", res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		c.wantEOF()
		_ = c.c.Close()
		report := call.wantNil()
		if n := r.executed.Load(); n != 1 {
			t.Errorf("%d requests executed, want 1: that before the stop", n)
		}
		if report.FinalReadRejected != 1 || report.FinalReadServed != 0 || report.Outcomes.Rejected != 1 || report.Late != 0 {
			t.Errorf("report %+v, want one request and one connection rejected, none late", report)
		}
	})
}

// A request that runs at the stop is served even so.
func TestRejectServesWhatRunsAtTheStop(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		r := startDrainRig(t, k, heldServer(release, running, Drain{FinalRead: 5 * time.Second, Reject: true}))
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		call := r.stop()
		close(release)
		c.want("/held", keepAlive)
		c.get("/next")
		c.wantCode(StatusServiceUnavailable, saysClose)
		c.wantEOF()
		_ = c.c.Close()
		call.wantNil()
	})
}

// Connections of all kinds, and each ends in one outcome.
func TestDrainReportAddsUp(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		s := heldServer(release, running, Drain{FinalRead: 300 * time.Millisecond})
		handler := s.Handler
		s.Handler = func(ctx *RequestCtx) {
			if string(ctx.Path()) == "/hijack" {
				ctx.Hijack(func(net.Conn) {})
			}
			handler(ctx)
		}
		paused, resume := pausedWake(s)
		r := startDrainRig(t, k, s)
		silent, final, leaving, wrong, hijacked := r.dialIdle(), r.dialIdle(), r.dialIdle(), r.dialIdle(), r.dialIdle()
		active := r.dial()
		active.get("/held")
		r.await("the handler", running)

		// All of it is there before a window can end, however long the clients take.
		call := r.begin(r.ctx)
		r.await("the drain to find a connection idle", paused)
		final.get("/final")
		_ = leaving.c.Close()
		wrong.send("this is no request\r\n\r\n")
		hijacked.get("/hijack")
		close(resume)
		final.want("/final", saysClose)
		wrong.wantCode(StatusBadRequest, saysClose)
		hijacked.want("/hijack", keepAlive)
		silent.wantEOF()
		if k.net != "memory" { // where time stands still meanwhile
			active.halfClose() // or its window may end before its client leaves
		}
		close(release)
		active.want("/held", keepAlive)
		for _, c := range []*drainClient{silent, final, wrong, hijacked, active} {
			_ = c.c.Close()
		}
		report := call.wantNil()
		want := DrainOutcomes{ClosedAfterResponse: 1, ClosedIdle: 1, ClientClosed: 2, Hijacked: 1, Error: 1}
		if report.Outcomes != want {
			t.Errorf("outcomes %+v, want %+v", report.Outcomes, want)
		}
		if report.OpenAtStop != 6 || report.FinalReadServed != 2 {
			t.Errorf("%d open at the stop, %d requests served in final reads, want 6 and 2", report.OpenAtStop, report.FinalReadServed)
		}
	})
}

// Many connections in every state, chosen at random, while the stop is set.
func TestDrainReportAddsUpWhateverClientsDo(t *testing.T) {
	for seed := range int64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			const clients = 60
			s := &Server{Drain: Drain{FinalRead: 50 * time.Millisecond, Linger: 50 * time.Millisecond, Reject: seed%2 == 1}}
			s.Handler = func(ctx *RequestCtx) {
				switch string(ctx.Path()) {
				case "/slow":
					time.Sleep(time.Duration(ctx.ID()%20) * time.Millisecond)
				case "/close":
					ctx.SetConnectionClose()
				case "/hijack":
					ctx.Hijack(func(net.Conn) {})
				}
			}
			r := startDrainRig(t, drainKind{"tcp", seed >= 2}, s)
			var wg sync.WaitGroup
			half := make(chan struct{}, clients)
			for i := range clients {
				rnd := rand.New(rand.NewSource(seed*1000 + int64(i))) // #nosec G404
				wg.Go(func() {
					for n := 0; ; n++ {
						if n == 2 {
							half <- struct{}{}
						}
						if !randomDrainClient(r.ln.Addr().String(), rnd) && n >= 2 {
							return
						}
					}
				})
			}
			for range clients / 2 {
				r.await("clients", half)
			}
			idle := []*drainClient{r.dialIdle(), r.dialIdle(), r.dialIdle()}
			call := r.stop()
			for _, c := range idle {
				c.wantEOF()
				_ = c.c.Close()
			}
			report := call.wantNil()
			wg.Wait()
			if report.OpenAtStop < len(idle) {
				t.Errorf("%d connections open at the stop, want at least the %d idle ones", report.OpenAtStop, len(idle))
			}
			s.connTable().eachShard(func(sh *connShard) {
				if sh.n > 0 {
					t.Errorf("%d records left in a shard", sh.n)
				}
			})
			r.awaitTrue("the hijack handlers have returned", func() bool { return s.ConnStats().Hijacked == 0 })
			wantConnStats(t, s, "after the drain", ConnStats{})
		})
	}
}

// randomDrainClient does something with one connection and says whether it could
// connect.
func randomDrainClient(addr string, rnd *rand.Rand) bool {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(drainBound))
	br := bufio.NewReader(c)
	for range 1 + rnd.Intn(5) {
		text := drainGet([]string{"/", "/slow", "/close", "/hijack", "/slow"}[rnd.Intn(5)])
		switch rnd.Intn(8) {
		case 0:
			text = text[:rnd.Intn(len(text))]
		case 1:
			text += drainGet("/") + drainGet("/slow")
		case 2:
			text = "nonsense\r\n\r\n"
		}
		if _, err := io.WriteString(c, text); err != nil {
			return true
		}
		switch rnd.Intn(4) {
		case 0:
			return true // without waiting for the response
		case 1:
			_ = c.(*net.TCPConn).CloseWrite()
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Duration(1+rnd.Intn(20)) * time.Millisecond))
		if _, err := br.Peek(1); err == io.EOF {
			return true
		}
		_, _ = br.Discard(br.Buffered())
	}
	return true
}

// The phases come in order, and OnPhase is called without a lock held.
func TestPhasesInOrder(t *testing.T) {
	for _, lameDuck := range []time.Duration{0, 5 * time.Second} {
		inDrainBubble(t, func(t *testing.T) {
			want := []DrainPhase{PhaseClosingListeners, PhaseDraining, PhaseStopped}
			if lameDuck > 0 {
				want = append([]DrainPhase{PhaseLameDuck}, want...)
			}
			var have []DrainPhase
			s := &Server{}
			s.Drain.LameDuck = lameDuck
			s.Drain.OnPhase = func(p DrainPhase) {
				have = append(have, p)
				if report := s.DrainReport(); report.Phase != p {
					t.Errorf("OnPhase(%v) while the report says %v", p, report.Phase)
				}
				_ = s.ConnStats()
				if s.Ready() {
					t.Errorf("ready in phase %v", p)
				}
			}
			r := startDrainRig(t, drainKind{net: "memory"}, s)
			c := r.dialIdle()
			begun := time.Now()
			call := r.begin(r.ctx)
			c.wantEOF()
			report := call.wantNil()
			if fmt.Sprint(have) != fmt.Sprint(want) {
				t.Errorf("phases %v, want %v", have, want)
			}
			if report.LameDuck != lameDuck || !report.Started.Equal(begun) || report.Duration != time.Since(begun) {
				t.Errorf("report %+v, want a lame duck of %v from %v, %v in all", report, lameDuck, begun, time.Since(begun))
			}
			if report.LameDuck+report.ClosingListeners+report.Draining != report.Duration {
				t.Errorf("the phases' durations do not add up: %+v", report)
			}
		})
	}
}

// A lame duck still accepts and serves, and asks its clients to leave.
func TestLameDuckServesAndSaysClose(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		inDrainBubble(t, func(t *testing.T) {
			r := startDrainRig(t, drainKind{"memory", reduce}, &Server{Drain: Drain{LameDuck: 10 * time.Second}})
			idle, other := r.dialIdle(), r.dialIdle()
			call := r.begin(r.ctx)
			synctest.Wait()
			if r.s.Ready() || r.s.DrainReport().Phase != PhaseLameDuck {
				t.Errorf("ready %v in phase %v, want a lame duck that is not", r.s.Ready(), r.s.DrainReport().Phase)
			}
			time.Sleep(9 * time.Second)
			idle.get("/leave")
			idle.want("/leave", saysClose)
			idle.wantEOF()
			fresh := r.dial()
			fresh.send(drainGet("/1") + drainGet("/2"))
			fresh.want("/1", keepAlive)
			fresh.want("/2", saysClose)
			fresh.wantEOF()
			other.wantEOF() // at the end of its window
			report := call.wantNil()
			if report.OpenAtStop != 1 || report.Outcomes.ClosedIdle != 1 {
				t.Errorf("report %+v, want one connection open at the stop, closed idle", report)
			}
		})
	}
}
