//go:build linux

package wire

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/tree"
)

var (
	windowsFlag = flag.String("windows", "5ms,10s", "final-read windows to stop servers with")
	resultsFlag = flag.String("results", "", "write the table of the windows to `FILE`")
)

// loads are scenarios of the lab that differ in how long a client pauses.
var loads = []struct {
	scenario string
	longest  time.Duration // pause between a response and the next request
}{
	{"keepalive", 20 * time.Millisecond},
	{"idle", 1500 * time.Millisecond},
}

// TestLateAgainstTheWindow counts the requests that cross a FIN, over a link of
// 20 ms, with fixed windows of several lengths. Every loss has to be counted by the
// server, and there must be none once the window is longer than the longest pause
// and the round trip. What the default does is in tests/window.
// The servers linger for longLinger: what comes later nobody can count.
func TestLateAgainstTheWindow(t *testing.T) {
	const oneWay = 10 * time.Millisecond
	var table strings.Builder
	table.WriteString("| FinalRead | pauses of a connection | connections | late | late of 1,000 | RST | a stop takes |\n" +
		"| ---: | --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, load := range loads {
		late := 0
		for text := range strings.SplitSeq(*windowsFlag, ",") {
			window, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(load.scenario+"/"+text, func(t *testing.T) {
				r := stop(t, oneWay, load.scenario, lab.Patched, *roundsFlag, "-final-read", text, "-linger", longLinger)
				t.Logf("%d stops, %d connections: %d lost, %d late; %v; %d refused; a stop takes %.2f s",
					r.Stops, r.Connections, r.Lost, r.Late, r.wire, r.Refused, r.Shutdown.Median)
				fmt.Fprintf(&table, "| %v | up to %v | %d | %d | %.1f | %d | %.2f s |\n", window, load.longest,
					r.Connections, r.Late, 1000*float64(r.Late)/float64(r.Connections), r.resets(), r.Shutdown.Median)
				// Beside a burner a handshake may take more than the second that the accept
				// queue has. Such a request may have been sent or not.
				if r.Lost < r.Late || r.Lost > r.Late+r.Unfinished {
					t.Errorf("%d requests were lost, and the server counted %d connections as late, and %d handshakes unfinished", r.Lost, r.Late, r.Unfinished)
				}
				if window > load.longest+4*oneWay && r.Late != 0 {
					t.Errorf("%d connections late, with a window that is longer than any pause", r.Late)
				}
				if r.resets() != 0 && r.Unfinished == 0 {
					t.Errorf("%d resets: %v", r.resets(), r.wire)
				}
				late += r.Late
			})
		}
		if late == 0 {
			t.Errorf("%s: no request crossed a FIN, so this had no control", load.scenario)
		}
	}
	if *resultsFlag != "" && !t.Failed() {
		if err := tree.WriteFile(*resultsFlag, []byte(table.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}
