package fasthttp

import (
	"testing"
	"testing/synctest"
	"time"
)

// The scenario that upstream loses: a request on an idle connection, sent when
// the stop has been set.
func TestServerShutdownServesWhatArrivesInTheWindow(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		s := &Server{Drain: Drain{FinalRead: 5 * time.Second}}
		r := startDrainRig(t, k, s)
		c := r.dialIdle()
		call := r.stop()
		c.get("/in-the-window")
		c.want("/in-the-window", saysClose)
		c.wantEOF()
		_ = c.c.Close()
		report := call.wantNil()
		if report.FinalReadServed != 1 || report.Outcomes.ClosedAfterResponse != 1 || report.Late != 0 {
			t.Errorf("report %+v, want one request served in a final read, its connection closed after it", report)
		}
	})
}

// A connection that has been accepted and sends its first request after the
// stop.
func TestFirstRequestInTheWindow(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		s := &Server{Drain: Drain{FinalRead: 5 * time.Second}}
		r := startDrainRig(t, k, s)
		c := r.dial()
		r.awaitTrue("the connection is served", func() bool { return onTheWay(s) == 0 && s.ConnStats().New == 1 })
		call := r.stop()
		c.get("/first")
		c.want("/first", saysClose)
		c.wantEOF()
		_ = c.c.Close()
		call.wantNil()
	})
}

// With ReduceMemoryUsage a connection waits without a reader, in another
// function.
func TestFinalReadReduceMemoryUsage(t *testing.T) {
	for _, network := range []string{"tcp", "tls"} {
		t.Run(network, func(t *testing.T) {
			s := &Server{Drain: Drain{FinalRead: 5 * time.Second}}
			r := startDrainRig(t, drainKind{network, true}, s)
			c := r.dialIdle()
			call := r.stop()
			c.send(drainGet("/one") + drainGet("/two"))
			c.want("/one", keepAlive)
			c.want("/two", saysClose)
			c.wantEOF()
			_ = c.c.Close()
			if report := call.wantNil(); report.FinalReadServed != 2 {
				t.Errorf("%d requests served in final reads, want 2", report.FinalReadServed)
			}
		})
	}
}

// quietEnd is when the window of connections that are never used ends.
func quietEnd(s *Server) time.Time {
	return s.drains.report.Load().stopAt.Add(500 * time.Millisecond)
}

func TestRequestAtTheWindowsLastInstant(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		k := drainKind{"memory", reduce}
		t.Run(k.String()+"/just before its end", func(t *testing.T) {
			inDrainBubble(t, func(t *testing.T) {
				r := startDrainRig(t, k, &Server{})
				c := r.dialIdle()
				call := r.stop()
				time.Sleep(time.Until(quietEnd(r.s)) - 1)
				c.get("/just-in-time")
				c.want("/just-in-time", saysClose)
				c.wantEOF()
				call.wantNil()
			})
		})
		t.Run(k.String()+"/just after the last look", func(t *testing.T) {
			inDrainBubble(t, func(t *testing.T) {
				r := startDrainRig(t, k, &Server{})
				c := r.dialIdle()
				call := r.stop()
				time.Sleep(time.Until(quietEnd(r.s)) + tinyRead)
				synctest.Wait()
				c.wantEOF()
				report := call.wantNil()
				if n := r.executed.Load(); n != 1 || report.Outcomes.ClosedIdle != 1 {
					t.Errorf("%d requests executed and %+v, want 1 and one connection closed idle", n, report.Outcomes)
				}
			})
		})
	}
}

// What comes after the last look cannot be answered. It is counted, and the
// client sees FIN.
func TestRequestAfterTheLastLookIsCountedAsLate(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		r := startDrainRig(t, k, &Server{Drain: Drain{FinalRead: -1, Linger: drainBound}})
		c := r.dialIdle()
		call := r.stop()
		c.wantEOF()
		c.get("/late")
		c.halfClose()
		report := call.wantNil()
		if report.Late != 1 || report.Outcomes.ClosedIdle != 1 || r.executed.Load() != 1 {
			t.Errorf("report %+v, want one late connection, closed idle", report)
		}
	})
}

// A client that has nothing to send is told so by FIN alone: a 408 could be
// taken for the answer to its next request.
func TestConnectionsWithoutARequestGetOnlyFIN(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		s := &Server{Drain: Drain{FinalRead: 50 * time.Millisecond}, ReadTimeout: time.Minute}
		r := startDrainRig(t, k, s)
		idle := r.dialIdle()
		fresh := r.dial()
		r.awaitTrue("both are served", func() bool { return onTheWay(s) == 0 && s.ConnStats().Open == 2 })
		call := r.stop()
		for _, c := range []*drainClient{idle, fresh} {
			c.wantEOF()
			_ = c.c.Close()
		}
		if report := call.wantNil(); report.Outcomes.ClosedIdle != 2 {
			t.Errorf("outcomes %+v, want 2 closed idle", report.Outcomes)
		}
	})
}

func TestServerShutdownWithNothingOpenTakesNoTime(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		r := startDrainRig(t, drainKind{"memory", false}, &Server{})
		begun := time.Now()
		r.begin(r.ctx).wantNil()
		if took := time.Since(begun); took != 0 {
			t.Errorf("Shutdown took %v with nothing open", took)
		}
	})
}
