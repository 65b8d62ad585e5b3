package fasthttp

import (
	"testing"
	"time"
)

// A request that a last look has read ahead is a final one like any other.
func TestRequestFoundByALastLookIsFinal(t *testing.T) {
	for _, reject := range []bool{false, true} {
		inDrainBubble(t, func(t *testing.T) {
			release, running := make(chan struct{}), make(chan struct{}, 1)
			s := heldServer(release, running, Drain{FinalRead: time.Second, Reject: reject})
			s.CloseOnShutdown = true
			r := startDrainRig(t, drainKind{"memory", true}, s)
			c := r.dial()
			c.get("/held")
			r.await("the handler", running)
			c.get("/next")
			call := r.stop()
			close(release)
			c.want("/held", keepAlive)
			code := StatusOK
			if reject {
				code = StatusServiceUnavailable
			}
			c.wantCode(code, saysClose)
			if report := call.wantNil(); report.FinalReadServed+report.FinalReadRejected != 1 {
				t.Errorf("report %v, want one request of a final read", report)
			}
		})
	}
}

// A response is not held back for the head of a request that will be refused.
func TestRefusalHoldsNoResponseBack(t *testing.T) {
	for _, rest := range []string{"\r\n", "GET /ne"} {
		eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
			release, running := make(chan struct{}), make(chan struct{}, 1)
			r := startDrainRig(t, k, heldServer(release, running, Drain{Reject: true}))
			c := r.dial()
			c.send("POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" + rest)
			r.await("the handler", running)
			call := r.stop()
			close(release)
			c.want("/held", keepAlive)
			_ = c.c.Close()
			call.wantNil()
		})
	}
}

// A request in the window is counted also where the client has asked for the
// close, so that the drain has no say in it.
func TestFinalRequestThatSaysCloseIsCounted(t *testing.T) {
	r := startDrainRig(t, drainKind{net: "tcp"}, &Server{Drain: Drain{FinalRead: drainBound / 2}})
	c := r.dialIdle()
	call := r.stop()
	c.send("GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	c.want("/last", saysClose)
	_ = c.c.Close()
	if report := call.wantNil(); report.FinalReadServed != 1 {
		t.Errorf("report %v, want one request of a final read", report)
	}
}
