//go:build linux

package window

import (
	"flag"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/tests/internal/link"
	"github.com/fastdrain/fastdrain/tests/internal/sources"
)

var (
	stopsFlag     = flag.Int("stops", 1, "stop each server `N` times in each load")
	poolStopsFlag = flag.Int("pool-stops", 1, "stop each server `N` times with a pool of Go's or Node's, instead")
	resultsFlag   = flag.String("results", "", "write the table of the loads to `FILE`")
)

// oneWay is half of the link's round trip.
const oneWay = 10 * time.Millisecond

// mostStops is how many more stops a control gets that has lost nothing yet. They
// are not in the figures: they end with a loss.
const mostStops = 10

// TestDefaultWindow stops both servers in each load, in turn, and holds the patched
// one against its limits.
func TestDefaultWindow(t *testing.T) {
	var rows []row
	for _, l := range loads {
		t.Run(l.name, func(t *testing.T) {
			m := newMeasurement(t, l)
			stops := *stopsFlag
			if l.pool {
				stops = *poolStopsFlag
			}
			results := m.run(t, stops, lab.Upstream, lab.Patched)
			for n := 0; n < mostStops && l.limit.lost == 0 && results[1].Lost > 0 && m.stalls.worst() > stalled; n++ {
				t.Logf("made anew: %d lost, while timers were %v late", results[1].Lost, m.stalls.worst())
				m.stalls = stalls{}
				results = m.run(t, stops, lab.Upstream, lab.Patched)
			}
			upstream, patched := results[0], results[1]
			for _, r := range []*lab.Result{upstream, patched} {
				t.Logf("%-8s %d stops, %d connections, %d requests: %d lost, %d executed and not answered, %d late, %d refused; a stop takes %v, at most %v",
					r.Variant, r.Stops, r.Connections, r.Requests, r.Lost, r.ExecutedUnanswered, r.Late, r.Refused,
					seconds(r.Shutdown.Median), seconds(r.Shutdown.Max))
			}
			t.Logf("timers were %v late at the median stop, at most %v", m.stalls.median(), m.stalls.worst())
			for _, wrong := range judge(l.limit, upstream, patched, &m.stalls) {
				t.Error(wrong)
			}
			if t.Failed() {
				t.Logf("how the patched server's clients lost requests:%s", patched.Losses())
			}
			if l.limit.control && upstream.Lost == 0 && !m.upstreamLoses(t) {
				t.Errorf("upstream lost nothing in %d stops: there was no control", upstream.Stops+mostStops)
			}
			rows = append(rows, row{l, upstream, patched})
		})
	}
	if *resultsFlag != "" {
		if err := writeResults(*resultsFlag, rows); err != nil {
			t.Error(err)
		}
	}
}

// measurement runs stops of one load.
type measurement struct {
	options lab.Options
	stalls  stalls
}

func newMeasurement(t *testing.T, l load) *measurement {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sources.DependOn(t, root, "server", "examples/hello")
	m := &measurement{}
	env := &environment{say: t.Logf}
	m.options = lab.Options{
		Root: root, Progress: t.Output(),
		Stopping: func() {
			m.stalls.stopping()
			env.stopped = time.Now()
		},
		Stopped: m.stalls.stopped,
	}
	if !l.loopback {
		env.link = link.Open(t, oneWay)
		m.options.Addr = net.JoinHostPort(env.link.Server.IPv4.String(), "0")
		m.options.Start = env.link.Server.Start
		m.options.Dial = env.link.Client.Dial
	}
	if l.clients != nil {
		work := l.clients(env, l)
		m.options.Load = &work
	} else {
		m.options.Scenarios = []string{l.scenario}
	}
	return m
}

// run stops servers, each so many times, and returns a result for each.
func (m *measurement) run(t *testing.T, stops int, variants ...string) []*lab.Result {
	t.Helper()
	o := m.options
	o.Rounds, o.Variants = stops, variants
	results, err := lab.Measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// upstreamLoses stops upstream's server until it has lost a request, and reports
// whether it has.
func (m *measurement) upstreamLoses(t *testing.T) bool {
	t.Helper()
	for range mostStops {
		if m.run(t, 1, lab.Upstream)[0].Lost > 0 {
			return true
		}
	}
	return false
}
