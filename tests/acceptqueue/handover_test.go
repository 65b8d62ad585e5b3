package acceptqueue

import (
	"context"
	"flag"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/tests/internal/link"
)

var restarts = flag.Int("restarts", 5, "hand the port over this `many` times")

// examples/handover: a new process takes the port before the old one stops. No
// client is refused, and none loses a request where the old one may filter SYNs
// or the kernel migrates requests. With neither some are reset: the control.
func TestHandOver(t *testing.T) {
	for _, test := range []struct {
		name, migrate string
		user          func(*exec.Cmd)
		strategy      string
		loses         bool
	}{
		{"SYN filter, root", "0", nil, "syn_filter", false},
		{"tcp_migrate_req, unprivileged", "1", unprivileged, "migrate", false},
		{"control: neither", "0", unprivileged, "poll", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := link.Open(t, oneWay)
			if err := l.Server.Sysctl("net/ipv4/tcp_migrate_req", test.migrate); err != nil {
				t.Fatal(err)
			}
			binary := build(t, "examples/handover", patched, "")
			addr := netip.AddrPortFrom(l.Server.IPv4, 8080).String()
			run := func(args ...string) instance {
				return start(t, process.Command{Path: binary, Args: args, Addr: addr, Start: l.Server.Start}, test.user)
			}
			var sum tally
			ctx, cancel := context.WithTimeout(t.Context(), 2*bound)
			defer cancel()
			p := run()
			c := &clients{addr: addr, tally: &sum, ctx: ctx}
			c.start(t, clientCount, l.Client.Do)
			for range *restarts {
				sum.more(t, ctx, clientCount)
				next := run("-replace", strconv.Itoa(p.PID()))
				p.wait(t)
				if line := p.Stderr(); !strings.Contains(line, ": "+test.strategy+",") {
					t.Errorf("the old process says %q, want the strategy %s", line, test.strategy)
				}
				p = next
			}
			sum.more(t, ctx, clientCount)
			cancel()
			c.running.Wait()
			p.stop(t)
			t.Logf("%d restarts: %v", *restarts, &sum)
			if sum.refused > 0 {
				t.Errorf("%d connections were refused", sum.refused)
			}
			if (sum.lost > 0) != test.loses {
				t.Errorf("%d connections lost: the control has to lose some, and nobody else may", sum.lost)
			}
		})
	}
}
