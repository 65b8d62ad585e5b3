package acceptqueue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/tests/internal/link"
)

// All sockets of one SO_REUSEPORT group stop at the same time: the listeners of
// one server, or the processes of a prefork server, which get one signal. No
// connection is lost, or the reports say that some may have been, and why.
func TestGroupThatStopsTogether(t *testing.T) {
	for _, test := range []struct {
		name, migrate string
		user          func(*exec.Cmd)
		loses         bool
	}{
		{"tcp_migrate_req, unprivileged", "1", unprivileged, false},
		{"SYN filter, root", "0", nil, false},
		{"control: neither", "0", unprivileged, true},
	} {
		for _, layout := range []struct{ processes, listeners int }{{1, 2}, {4, 1}, {2, 2}} {
			name := test.name + "/" + strconv.Itoa(layout.processes) + " x " + strconv.Itoa(layout.listeners)
			t.Run(name, func(t *testing.T) {
				l := link.Open(t, oneWay)
				if err := l.Server.Sysctl("net/ipv4/tcp_migrate_req", test.migrate); err != nil {
					t.Fatal(err)
				}
				binary := build(t, "tests/acceptqueue/server", patched, "")
				addr := netip.AddrPortFrom(l.Server.IPv4, 8080).String()
				var sum tally
				strategies := map[string]int{}
				said := 0
				again := anew{mostAnew}
				one := func() (wrong string, stalled time.Duration) {
					var seen tally
					var all []instance
					for range layout.processes {
						args := []string{"-mptcp=false", "-group", strconv.Itoa(layout.listeners)}
						all = append(all, start(t, process.Command{Path: binary, Args: args, Addr: addr, Start: l.Server.Start}, test.user))
					}
					ctx, cancel := context.WithTimeout(t.Context(), bound)
					defer cancel()
					c := &clients{addr: addr, tally: &seen, ctx: ctx, untilRefused: true}
					c.start(t, clientCount, l.Client.Do)
					seen.more(t, ctx, 3*clientCount)
					time.Sleep(rand.N(3 * oneWay)) // at any point of the clients' round trips
					for _, p := range all {
						p.terminate(t)
					}
					mayHave := false
					for _, p := range all {
						report := p.wait(t)
						stalled = max(stalled, report.Stall)
						for _, q := range report.Listeners {
							strategies[strings.TrimSpace(q.Strategy+" "+q.Why)]++
							mayHave = mayHave || q.MayHaveReset()
							if q.MayHaveReset() && q.Why == "" {
								t.Errorf("listener %+v, want it to say why", q)
							}
						}
					}
					c.running.Wait()
					if ctx.Err() != nil {
						t.Fatalf("the clients hang: %v", &seen)
					}
					if seen.lost > 0 && !mayHave {
						t.Errorf("%d connections lost, and no report says that some may have been", seen.lost)
					}
					if seen.lost > 0 && !test.loses {
						return fmt.Sprintf("%v: only the control may lose some", &seen), stalled
					}
					if mayHave {
						said++
					}
					sum.add(&seen)
					return "", 0
				}
				for n := 0; n < *stops || test.loses && sum.lost == 0 && n < mostRounds**stops; n++ {
					again.stop(t, one)
				}
				t.Logf("%d stops: %v; %d said that some may have been lost; %v", *stops, &sum, said, strategies)
				if test.loses && sum.lost == 0 {
					t.Error("the control has lost no connection")
				}
			})
		}
	}
}
