//go:build linux

package wire

import (
	"flag"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/tests/internal/link"
)

var roundsFlag = flag.Int("rounds", 1, "stop each server `N` times in each scenario")

// result is what the clients, the server and the server's kernel say of some stops.
type result struct {
	lab.Result
	wire     counters // from SIGTERM to the clients' end
	refusals int      // of SYNs, on the link
}

// resets is the number of RST that the server sent for anything but a SYN after the
// stop, which is a RST by the protocol (RFC 9293, section 3.5.2). The clients cannot
// say how many those are: on a loaded machine a SYN is sent twice.
func (r result) resets() int { return r.wire.outRsts - r.refusals }

// refusalBound is how long a segment that has been sent may take to be seen.
const refusalBound = 2 * time.Second

// stop runs a scenario of the lab with its servers at one end of a link and its
// clients at the other.
func stop(t *testing.T, oneWay time.Duration, scenario, variant string, rounds int, patchedArgs ...string) result {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	l := link.Open(t, oneWay)
	var r result
	var atStop counters
	results, err := lab.Measure(t.Context(), lab.Options{
		Root:      root,
		Scenarios: []string{scenario}, Variants: []string{variant}, Rounds: rounds,
		PatchedArgs: patchedArgs,
		Progress:    io.Discard,

		Addr:     net.JoinHostPort(l.Server.IPv4.String(), "0"),
		Start:    l.Server.Start,
		Dial:     l.Client.Dial,
		Stopping: func() { atStop = count(t, l.Server) },
		Stopped: func() {
			r.wire = r.wire.plus(count(t, l.Server).minus(atStop))
			for end := time.Now().Add(refusalBound); ; time.Sleep(time.Millisecond) {
				if r.refusals = l.Refusals(); r.resets() <= 0 || time.Now().After(end) {
					return
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Result = *results[0]
	if r.Exit != process.ExitClean {
		t.Errorf("the servers ended with %s", r.Exit)
	}
	return r
}
