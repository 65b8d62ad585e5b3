package acceptqueue

import (
	"context"
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
				for range *stops {
					var all []instance
					for range layout.processes {
						args := []string{"-mptcp=false", "-group", strconv.Itoa(layout.listeners)}
						all = append(all, start(t, process.Command{Path: binary, Args: args, Addr: addr, Start: l.Server.Start}, test.user))
					}
					ctx, cancel := context.WithTimeout(t.Context(), bound)
					c := &clients{addr: addr, tally: &sum, ctx: ctx, untilRefused: true}
					c.start(t, clientCount, l.Client.Do)
					sum.more(t, ctx, 3*clientCount)
					time.Sleep(rand.N(3 * oneWay)) // at any point of the clients' round trips
					for _, p := range all {
						p.terminate(t)
					}
					lost := sum.lost
					mayHave := false
					for _, p := range all {
						for _, q := range p.wait(t).Listeners {
							strategies[strings.TrimSpace(q.Strategy+" "+q.Why)]++
							mayHave = mayHave || q.MayHaveReset()
							if q.MayHaveReset() && q.Why == "" {
								t.Errorf("listener %+v, want it to say why", q)
							}
						}
					}
					c.running.Wait()
					if ctx.Err() != nil {
						t.Fatalf("the clients hang: %v", &sum)
					}
					cancel()
					if mayHave {
						said++
					} else if sum.lost > lost {
						t.Errorf("%d connections lost, and no report says that some may have been", sum.lost-lost)
					}
				}
				t.Logf("%d stops: %v; %d said that some may have been lost; %v", *stops, &sum, said, strategies)
				if test.loses != (sum.lost > 0) {
					t.Errorf("%d connections lost: the control has to lose some", sum.lost)
				}
			})
		}
	}
}
