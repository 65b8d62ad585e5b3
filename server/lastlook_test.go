package fasthttp

import "testing"

// Line ends that stand alone behind a request, with TLS in a record of their own, are
// no request (RFC 9112 section 2.2): they keep 'Connection: close' off no response.
// With TLS the look reads them for [tinyRead], which a busy machine may take from it:
// then it says that more may come, so there any of a few responses counts.
func TestLineEndsAtTheLastLook(t *testing.T) {
	for _, drain := range []Drain{{}, {FinalRead: -1}} {
		eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
			tries := 1
			if k.net == "tls" {
				tries = 8
			}
			for !lineEndsAtTheLastLook(t, k, drain) {
				if tries--; tries == 0 {
					t.Fatal("no response says close")
				}
			}
		})
	}
}

// lineEndsAtTheLastLook says whether the response said close.
func lineEndsAtTheLastLook(t *testing.T, k drainKind, drain Drain) bool {
	t.Helper()
	release, running := make(chan struct{}), make(chan struct{}, 1)
	s := heldServer(release, running, drain)
	s.CloseOnShutdown = true
	r := startDrainRig(t, k, s)
	c := r.dial()
	c.get("/held")
	r.await("the handler", running)
	for range 3 {
		c.send("\r\n")
	}
	call := r.stop()
	close(release)
	reply, err := c.read()
	if want := (drainReply{StatusOK, reply.shut, "/held"}); err != nil || reply != want {
		t.Fatalf("response %+v, %v, want %+v", reply, err, want)
	}
	c.wantEOF()
	_ = c.c.Close()
	if report := call.wantNil(); report.Late != 0 {
		t.Errorf("report %v, want none late", report)
	}
	return reply.shut
}

// A request behind such line ends is seen.
func TestLineEndsAndARequestAtTheLastLook(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		s := heldServer(release, running, Drain{})
		s.CloseOnShutdown = true
		r := startDrainRig(t, k, s)
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		c.send("\r\n")
		c.get("/next")
		call := r.stop()
		close(release)
		c.want("/held", keepAlive)
		c.want("/next", saysClose)
		c.wantEOF()
		_ = c.c.Close()
		call.wantNil()
	})
}

// Line ends that come after the last look are no late request; one behind them is.
func TestLineEndsAreNotLate(t *testing.T) {
	for text, late := range map[string]int{"\r\n": 0, "\r\n" + "GET /late": 1} {
		eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
			r := startDrainRig(t, k, &Server{Drain: Drain{FinalRead: -1, Linger: drainBound}})
			c := r.dialIdle()
			call := r.stop()
			c.wantEOF()
			c.send(text)
			c.halfClose()
			if report := call.wantNil(); report.Late != late {
				t.Errorf("%q: %d late, want %d", text, report.Late, late)
			}
		})
	}
}

// Line ends behind a request are none, and do not keep its response from being the
// last one (RFC 9112 section 2.2).
func TestLineEndsAreNoRequest(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		s := heldServer(release, running, Drain{})
		s.CloseOnShutdown = true
		r := startDrainRig(t, drainKind{net: "memory"}, s)
		c := r.dial()
		c.send(drainGet("/held") + "\r\n\r\n")
		r.await("the handler", running)
		call := r.stop()
		close(release)
		c.want("/held", saysClose)
		_ = c.c.Close()
		if report := call.wantNil(); report.Late != 0 {
			t.Errorf("%v, want none late", report)
		}
	})
}
