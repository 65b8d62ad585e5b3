//go:build linux

package wire

import (
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
)

// scenarios of the lab in which nothing that the server does may be a reset. The
// others are not judged: a client of "greedy" writes on after a response that said
// close; "connect" and "connect-tls" have handshakes under way when the listener
// closes, and closes of before the stop, which do not linger, whose echo arrives
// after it.
var scenarios = []struct {
	name    string
	control bool // upstream resets connections in it
}{
	{"keepalive", true},
	{"idle", true},
	{"pool", false},
	{"pipeline", true},
	{"slow", false},
	{"hold", false},
}

// longLinger is for the patched server: on a busy machine a client may take more than
// the half second of the default to see the FIN, and what it sends later is answered with
// RST. It ends with the client's FIN, so it takes no longer otherwise.
const longLinger = "10s"

// mostRounds is how many stops a control gets that has reset nothing yet.
const mostRounds = 10

// TestNoResetLeavesTheServer counts RST segments through drains.
func TestNoResetLeavesTheServer(t *testing.T) {
	for _, roundTrip := range []time.Duration{0, 20 * time.Millisecond} {
		t.Run(roundTrip.String(), func(t *testing.T) {
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) {
					t.Run(lab.Patched, func(t *testing.T) {
						r := stop(t, roundTrip/2, s.name, lab.Patched, *roundsFlag, "-linger", longLinger)
						t.Logf("%d stops, %d connections: %v; %d refused, %d lost, %d late", r.Stops, r.Connections, r.wire, r.Refused, r.Lost, r.Late)
						if r.resets() != 0 || r.wire.abortOnClose != 0 || r.wire.abortOnData != 0 {
							t.Errorf("%d RST of which %d were refusals: %v", r.wire.outRsts, r.refusals, r.wire)
						}
					})
					if !s.control {
						return
					}
					t.Run(lab.Upstream, func(t *testing.T) {
						resets := 0
						for n := 0; n < mostRounds && resets == 0; n++ {
							r := stop(t, roundTrip/2, s.name, lab.Upstream, *roundsFlag)
							t.Logf("%d stops, %d connections: %v; %d refused, %d lost", r.Stops, r.Connections, r.wire, r.Refused, r.Lost)
							resets += r.resets()
						}
						if resets == 0 {
							t.Error("upstream sent no RST: there was no control")
						}
					})
				})
			}
		})
	}
}
