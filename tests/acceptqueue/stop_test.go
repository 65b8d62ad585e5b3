package acceptqueue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/tests/internal/link"
)

const (
	clientCount = 64
	oneWay      = 10 * time.Millisecond

	// mostRounds is how many rounds of stops a control gets that has lost nothing yet:
	// clients that are not let run have no handshakes under way.
	mostRounds = 10
)

// server says which server to stop, and what is expected of it.
type server struct {
	name     string
	variant  string
	only     string // the best strategy that it may take
	args     []string
	root     bool
	inside   bool   // a PID namespace of its own, with the /proc of the outer one
	strategy string // that it is to report
	loses    bool   // it is a control
}

var (
	closing   = server{name: "control: upstream closes", variant: upstream, loses: true}
	polling   = server{name: "control: poll", variant: patched, only: "poll", strategy: "poll", loses: true}
	twin      = server{name: "twin, unprivileged", variant: patched, strategy: "twin"}
	inside    = server{name: "twin, unprivileged, in a PID namespace", variant: patched, inside: true, strategy: "twin"}
	synFilter = server{name: "SYN filter, root", variant: patched, only: "syn_filter", root: true, args: []string{"-mptcp=false"}, strategy: "syn_filter"}
)

// No connection that a client has seen established is reset, over a link where
// a handshake takes 20 ms. The controls lose some at the same time.
func TestStopOverALink(t *testing.T) {
	l := link.Open(t, oneWay)
	for _, test := range []struct {
		name    string
		ip      netip.Addr
		servers []server
	}{
		{"IPv4", l.Server.IPv4, []server{closing, polling, twin, inside, synFilter}},
		{"IPv6", l.Server.IPv6, []server{polling, twin, synFilter}},
	} {
		for _, s := range test.servers {
			t.Run(test.name+"/"+s.name, func(t *testing.T) {
				lost := 0
				for n := 0; n == 0 || s.loses && lost == 0 && n < mostRounds; n++ {
					lost += s.stop(t, *stops, netip.AddrPortFrom(test.ip, 8080).String(), l.Server.Start, l.Client.Do)
				}
				s.lostAsExpected(t, lost)
			})
		}
	}
}

// Nor over loopback, where a handshake takes no time. To poll leaves the moment
// between the last look and the close.
func TestStopOverLoopback(t *testing.T) {
	here := func(f func() error) error { return f() }
	lost := map[string]int{}
	const enough = 20 // connections that upstream loses, to compare with
	for round := 0; round < 10 && lost[closing.name] < enough; round++ {
		for _, s := range []server{closing, polling} {
			t.Run(s.name, func(t *testing.T) {
				lost[s.name] += s.stop(t, *loopbackStops, "127.0.0.1:0", (*exec.Cmd).Start, here)
			})
		}
	}
	if c, p := lost[closing.name], lost[polling.name]; c < enough || p > c/4 {
		t.Errorf("upstream lost %d connections and poll %d, want less than a quarter of %d at least", c, p, enough)
	}
	for _, s := range []server{twin, synFilter} {
		for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
			t.Run(s.name+"/"+addr, func(t *testing.T) {
				t.Parallel()
				s.lostAsExpected(t, s.stop(t, *loopbackStops, addr, (*exec.Cmd).Start, here))
			})
		}
	}
}

// stop stops a server n times under load, each time a new process, and returns how
// many connections the clients lost.
func (s server) stop(t *testing.T, n int, addr string, startCmd func(*exec.Cmd) error, do func(func() error) error) (lost int) {
	binary := build(t, "tests/acceptqueue/server", s.variant, s.only)
	var sum tally
	var accepted, handshakes, unfinished int
	var waited time.Duration
	began := time.Now()
	again := anew{mostAnew}
	one := func() (wrong string, stalled time.Duration) {
		var seen tally
		p := start(t, process.Command{Path: binary, Args: s.args, Addr: addr, Start: startCmd}, func(cmd *exec.Cmd) {
			if !s.root {
				unprivileged(cmd)
			}
			if s.inside {
				cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), bound)
		defer cancel()
		c := &clients{addr: p.Addr, tally: &seen, ctx: ctx, untilRefused: true}
		c.start(t, clientCount, do)
		seen.more(t, ctx, 3*clientCount)
		// At any point of the clients' round trips.
		time.Sleep(rand.N(3 * oneWay))
		report := p.stop(t)
		c.running.Wait()
		if ctx.Err() != nil {
			t.Fatalf("the clients hang: %v", &seen)
		}
		for _, q := range report.Listeners {
			if q.Strategy != s.strategy || q.MayHaveReset() != s.loses {
				return fmt.Sprintf("listener %+v, want the strategy %q, and MayHaveReset %t", q, s.strategy, s.loses), report.Stall
			}
		}
		if !s.loses && seen.lost > 0 {
			return fmt.Sprintf("%v: only a control may lose some", &seen), report.Stall
		}
		for _, q := range report.Listeners {
			accepted += q.Accepted
			handshakes += q.Handshakes
			unfinished += q.Unfinished
			waited = max(waited, q.Waited)
		}
		sum.add(&seen)
		return "", 0
	}
	for range n {
		again.stop(t, one)
	}
	t.Logf("%d stops in %v: %v; accepted after the stop %d; handshakes under way %d, unfinished %d, waited for up to %v",
		n, time.Since(began).Round(time.Second), &sum, accepted, handshakes, unfinished, waited.Round(time.Millisecond))
	return sum.lost
}

// lostAsExpected checks what stop returns.
func (s server) lostAsExpected(t *testing.T, lost int) {
	t.Helper()
	if (lost > 0) != s.loses {
		t.Errorf("%d connections lost: a control has to lose some, and nobody else may", lost)
	}
}
