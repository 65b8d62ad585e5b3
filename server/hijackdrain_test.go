package fasthttp

import (
	"testing"
	"time"
)

// A request in the window that hijacks its connection: 101 without close, which
// would skip the hijack handler, and the drain does not wait for it.
func TestHijackDuringDrain(t *testing.T) {
	for _, closeOnShutdown := range []bool{false, true} {
		eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
			for _, begun := range []string{"before the stop", "after the stop"} {
				s := &Server{CloseOnShutdown: closeOnShutdown, Drain: Drain{FinalRead: 5 * time.Second}}
				running, release := make(chan struct{}), make(chan struct{})
				s.Handler = func(ctx *RequestCtx) {
					if string(ctx.Path()) != "/hijack" {
						return
					}
					close(running)
					<-release
					ctx.SetStatusCode(StatusSwitchingProtocols)
					ctx.Response.Header.Set("Upgrade", "echo")
					ctx.Hijack(echoLine)
				}
				r := startDrainRig(t, k, s)
				c := r.dialIdle()
				var call *drainCall
				if begun == "before the stop" {
					c.get("/hijack")
					r.await("the handler", running)
					call = r.stop()
				} else {
					call = r.stop()
					c.get("/hijack")
					r.await("the handler", running)
				}
				close(release)
				c.wantCode(StatusSwitchingProtocols, keepAlive)
				report := call.wantNil()
				if report.Outcomes.Hijacked != 1 {
					t.Errorf("begun %s: outcomes %+v, want one hijacked", begun, report.Outcomes)
				}
				if n := s.ConnStats().Hijacked; n != 1 {
					t.Errorf("begun %s: %d hijacked connections while the handler runs, want 1", begun, n)
				}
				c.send("still here\n")
				_ = c.c.SetReadDeadline(time.Now().Add(drainBound))
				if line, err := c.br.ReadString('\n'); line != "still here\n" {
					t.Errorf("begun %s: the hijacked connection sent %q, %v", begun, line, err)
				}
				c.wantEOF()
				r.awaitTrue("the hijack is over", func() bool { return s.ConnStats().Hijacked == 0 })
			}
		})
	}
}
