//go:build linux

package proxies

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/tests/internal/proxy"
)

// clients of a proxy. They are more than the connections that stay busy, so the
// proxy has idle ones in its pool, too.
const clients = 40

// outcome is what rolling restarts of one variant have shown at the outside.
type outcome struct {
	restarts int
	methods  map[string]*tally
	executed int // by all processes
	late     int
	slowest  time.Duration

	request time.Duration // the slowest of the clients' requests
}

// repeated is how many requests were executed and not answered with their own
// response: those that a proxy gave up, and those that it sent again.
func (o *outcome) repeated() int {
	n := o.executed
	for _, m := range o.methods {
		n -= m.ok
	}
	return n
}

func (o *outcome) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rolling restarts", o.restarts)
	for _, name := range slices.Sorted(maps.Keys(o.methods)) {
		fmt.Fprintf(&b, "; %s: %v", name, o.methods[name])
	}
	fmt.Fprintf(&b, "; %d executed in vain; %d late; a stop took at most %v", o.repeated(), o.late, o.slowest.Round(time.Millisecond))
	return b.String()
}

// bad says whether something was lost, or executed in vain.
func (o *outcome) bad() bool {
	for _, m := range o.methods {
		if m.notOK() > 0 {
			return true
		}
	}
	return o.repeated() != 0
}

const (
	// stall is what a request takes only where a proxy, or the machine, stands still: more
	// than the second after which the kernel asks again for a connection. A proxy that has
	// not come to the FIN of its connections when the server has lingered long enough may
	// send on them all the same, and nobody sees that any more: see docs/limits.md.
	stall = 1200 * time.Millisecond

	// tries is how often the end of that is waited for.
	tries = 3
)

// mostRestarts is how often a control is repeated that has lost nothing yet: a
// stop can be lucky.
const mostRestarts = 20

// roll restarts two instances behind a proxy in turn, again and again, under a
// load that never pauses. A control goes on until it has lost a POST.
func roll(t *testing.T, path string, s proxy.Setup, restarts int, control bool) *outcome {
	t.Helper()
	var flags []string
	if s.TLS {
		flags = append(flags, "-tls")
	}
	instances := []*instance{start(t, path, flags...), start(t, path, flags...)}
	for _, i := range instances {
		s.Servers = append(s.Servers, i.addr())
	}
	l := startLoad(t, startProxy(t, s), clients)
	done := 0
	for ; done < restarts || control && done < mostRestarts && l.notOK(http.MethodPost) == 0; done++ {
		for _, i := range instances {
			// Until all connections are in use again, and then until a random
			// moment, so that the stops hit everything that one can be doing.
			settle := func() { l.await(5*clients + rand.N(5*clients)) }
			if s.Retries {
				settle()
				i.restart()
			} else {
				i.takeOver(settle)
			}
		}
	}
	l.await(5 * clients)
	l.stop()

	o := &outcome{restarts: done, methods: l.methods, request: l.slowest}
	for _, i := range instances {
		i.stop()
		o.executed += i.executed
		o.late += i.late
		o.slowest = max(o.slowest, i.slowest)
	}
	return o
}

// TestRollingRestarts restarts services behind nginx and HAProxy. With retries off
// each request that the stopped process loses is an error at the outside, and the
// next process takes over the port, so that none is refused. With the retries of
// the proxies' documentation a process ends before the next one starts: what is
// refused goes to the other instance, as nothing of it was sent, and so does a GET
// that was lost, but not a POST, which must not be sent again. The patched server
// must lose none; upstream's is the control.
func TestRollingRestarts(t *testing.T) {
	servers := map[string]string{}
	for _, v := range variants {
		servers[v] = build(t, v)
	}
	var rows []row
	for _, program := range []string{proxy.Nginx, proxy.HAProxy} {
		for _, retries := range []bool{false, true} {
			for _, secure := range []bool{false, true} {
				r := row{proxy: program, tls: secure, retries: retries, outcomes: map[string]*outcome{}}
				t.Run(r.String(), func(t *testing.T) {
					for _, v := range variants {
						t.Run(v, func(t *testing.T) {
							control := v == lab.Upstream && !retries
							setup := proxy.Setup{Program: program, TLS: secure, Retries: retries}
							o := roll(t, servers[v], setup, *restartsFlag, control)
							for try := 1; v == lab.Patched && o.bad() && o.request > stall && try < tries; try++ {
								t.Logf("a request took %v: once more; %v", o.request.Round(time.Millisecond), o)
								o = roll(t, servers[v], setup, *restartsFlag, control)
							}
							r.outcomes[v] = o
							t.Log(o)
							for method, m := range o.methods {
								if v == lab.Patched && m.notOK() > 0 {
									t.Errorf("%d of %d %ss were not answered with 200", m.notOK(), m.requests, method)
								}
							}
							if v == lab.Patched && o.repeated() != 0 {
								t.Errorf("%d requests were executed in vain", o.repeated())
							}
							if control && o.methods[http.MethodPost].notOK() == 0 {
								t.Errorf("upstream lost no POST in %d rolling restarts: there was no control", o.restarts)
							}
						})
					}
				})
				rows = append(rows, r)
			}
		}
	}
	if *resultsFlag != "" && !t.Failed() {
		if err := writeResults(*resultsFlag, rows); err != nil {
			t.Error(err)
		}
	}
}
