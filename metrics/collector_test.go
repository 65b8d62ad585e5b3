package metrics_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
)

// series are the values of a scrape, by "family/server/label value".
type series map[string]float64

func gather(t *testing.T, g prometheus.Gatherer) series {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatalf("gathering: %v", err)
	}
	return seriesOf(t, families)
}

func seriesOf(t *testing.T, families []*dto.MetricFamily) series {
	t.Helper()
	found := series{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			server, label := "", ""
			for _, l := range m.GetLabel() {
				if l.GetName() == metrics.ServerLabel {
					server = l.GetValue()
				} else {
					label = l.GetValue()
				}
			}
			v := m.GetGauge().GetValue()
			if f.GetType() == dto.MetricType_COUNTER {
				v = m.GetCounter().GetValue()
			}
			found[key(f.GetName(), server, label)] = v
		}
	}
	return found
}

func key(name, server, label string) string {
	return strings.Join([]string{name, server, label}, "/")
}

func (s series) String() string {
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(s)) {
		lines = append(lines, fmt.Sprintf("  %s %v", k, s[k]))
	}
	return strings.Join(lines, "\n")
}

// want compares some of the values.
func (s series) want(t *testing.T, values series) {
	t.Helper()
	for k, v := range values {
		if have, ok := s[k]; !ok || have != v {
			t.Errorf("%s is %v (present: %t), want %v", k, have, ok, v)
		}
	}
	if t.Failed() {
		t.Fatalf("the scrape was\n%v", s)
	}
}

func pedantic(t *testing.T, cs ...prometheus.Collector) *prometheus.Registry {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	for _, c := range cs {
		if err := reg.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	return reg
}

func TestEverySeriesIsThereBeforeTheServerServes(t *testing.T) {
	reg := pedantic(t, metrics.NewCollector(metrics.Servers{"a": {}, "b": {}}))
	have := gather(t, reg)
	n := 0
	for _, in := range metrics.Instruments() {
		if in.Prometheus == "" || in.Label == "listener" {
			continue
		}
		values := in.Values
		if in.Label == "" {
			values = []string{""}
		}
		if len(values) == 0 {
			t.Errorf("%s has the label %s without values", in.Prometheus, in.Label)
		}
		for _, server := range []string{"a", "b"} {
			for _, value := range values {
				n++
				want := 0.0
				if value == "serving" {
					want = 1
				}
				have.want(t, series{key(in.Prometheus, server, value): want})
			}
		}
	}
	if len(have) != n {
		t.Errorf("%d series in a scrape, the table has %d:\n%v", len(have), n, have)
	}
}

func TestMetricsAreLintClean(t *testing.T) {
	s := startServer(t)
	problems, err := testutil.CollectAndLint(metrics.NewCollector(metrics.Servers{"": s.Server}))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestCollectorFollowsADrain(t *testing.T) {
	t.Parallel()
	d := startDrained(t)
	reg := pedantic(t, metrics.NewCollector(metrics.Servers{"api": d.Server}))
	gather(t, reg).want(t, series{
		"fasthttp_server_open_connections/api/":              openAtStop,
		"fasthttp_server_connections/api/new":                1,
		"fasthttp_server_connections/api/active":             2,
		"fasthttp_server_connections/api/idle":               1,
		"fasthttp_server_stop_seen_connections/api/":         0,
		"fasthttp_server_hijacked_connections/api/":          1,
		"fasthttp_server_drain_phase/api/serving":            1,
		"fasthttp_server_drain_duration_seconds/api/":        0,
		"fasthttp_server_drains_total/api/graceful":          0,
		"fasthttp_server_late_connections_total/api/":        0,
		"fasthttp_server_drain_phase/api/draining":           0,
		"fasthttp_server_drain_start_timestamp_seconds/api/": 0,
	})

	d.begin(context.Background())
	during := gather(t, reg)
	during.want(t, series{
		"fasthttp_server_open_connections/api/":                       1,
		"fasthttp_server_connections/api/active":                      1,
		"fasthttp_server_stop_seen_connections/api/":                  0,
		"fasthttp_server_drain_phase/api/serving":                     0,
		"fasthttp_server_drain_phase/api/draining":                    1,
		"fasthttp_server_drained_connections_total/api/closed_idle":   2,
		"fasthttp_server_final_read_requests_total/api/served":        1,
		"fasthttp_server_drains_total/api/graceful":                   0,
		"fasthttp_server_drained_connections_total/api/client_closed": 0,
	})
	if v := during["fasthttp_server_drain_duration_seconds/api/"]; v <= 0 {
		t.Errorf("the drain under way lasts %v s", v)
	}

	r := d.end()
	after := gather(t, reg)
	after.want(t, accountOf("api", r))
	after.want(t, series{
		"fasthttp_server_drain_phase/api/draining":                            0,
		"fasthttp_server_drain_phase/api/stopped":                             1,
		"fasthttp_server_drains_total/api/graceful":                           1,
		"fasthttp_server_drained_connections_total/api/closed_after_response": 2,
		"fasthttp_server_drained_connections_total/api/closed_idle":           2,
		"fasthttp_server_drained_hijacked_connections_total/api/returned":     1,
		"fasthttp_server_drained_hijacked_connections_total/api/left":         0,
	})
	if sum, want := r.Outcomes.Total(), openAtStop; sum != want {
		t.Errorf("%d connections ended, %d were open: %v", sum, want, r)
	}
}

// accountOf is what a scrape shows of a report, after a server's first drain.
func accountOf(server string, r fasthttp.DrainReport) series {
	o := r.Outcomes
	account := series{
		"fasthttp_server_drain_duration_seconds//":                         r.Duration.Seconds(),
		"fasthttp_server_drain_start_timestamp_seconds//":                  float64(r.Started.UnixMicro()) / 1e6,
		"fasthttp_server_stop_accepted_connections_total//":                float64(r.Accepted),
		"fasthttp_server_final_read_requests_total//served":                float64(r.FinalReadServed),
		"fasthttp_server_final_read_requests_total//rejected":              float64(r.FinalReadRejected),
		"fasthttp_server_late_connections_total//":                         float64(r.Late),
		"fasthttp_server_undelivered_connections_total//":                  float64(r.Undelivered),
		"fasthttp_server_drained_hijacked_connections_total//returned":     float64(r.HijackedReturned),
		"fasthttp_server_drained_hijacked_connections_total//left":         float64(r.HijackedLeft),
		"fasthttp_server_drained_connections_total//hijacked":              float64(o.Hijacked),
		"fasthttp_server_drained_connections_total//error":                 float64(o.Error),
		"fasthttp_server_drained_connections_total//forced":                float64(o.Forced),
		"fasthttp_server_drained_connections_total//rejected":              float64(o.Rejected),
		"fasthttp_server_drained_connections_total//left_open":             float64(o.LeftOpen),
		"fasthttp_server_drained_connections_total//closed_idle":           float64(o.ClosedIdle),
		"fasthttp_server_drained_connections_total//client_closed":         float64(o.ClientClosed),
		"fasthttp_server_drained_connections_total//closed_after_response": float64(o.ClosedAfterResponse),
		"fasthttp_server_drain_phase//" + r.Phase.String():                 1,
		"fasthttp_server_drains_total//" + r.Verdict():                     1,
	}
	for _, l := range r.Listeners {
		account["fasthttp_server_drain_listeners//"+l.Strategy]++
	}
	named := series{}
	for k, v := range account {
		named[strings.Replace(k, "//", "/"+server+"/", 1)] = v
	}
	return named
}

func TestVerdictOfADrainThatTimesOut(t *testing.T) {
	for _, force := range []bool{false, true} {
		want := map[bool]string{false: "timed_out", true: "forced"}[force]
		t.Run(want, func(t *testing.T) {
			s := startServer(t)
			s.Drain.ForceClose = force
			reg := pedantic(t, metrics.NewCollector(metrics.Servers{"": s.Server}))
			c := s.dial()
			c.send("/park")
			await(t, "the parked request", s.parked)
			ctx, cancel := context.WithCancel(context.Background())
			done := s.shutdown(ctx)
			s.awaitPhase(fasthttp.PhaseDraining)
			cancel()
			if err := await(t, "the end of Shutdown", done); err == nil {
				t.Error("Shutdown returned no error")
			}
			r := s.DrainReport()
			if r.Verdict() != want {
				t.Errorf("the verdict is %q, want %q: %v", r.Verdict(), want, r)
			}
			gather(t, reg).want(t, accountOf(metrics.DefaultServer, r))
		})
	}
}

func TestTheAccountFollowsTheSurvivorsOfADrainThatTimedOut(t *testing.T) {
	s := startServer(t)
	s.Drain.FinalRead = bound // nobody waits for its end
	reg := pedantic(t, metrics.NewCollector(metrics.Servers{"": s.Server}))
	c := s.dial()
	c.send("/")
	c.receive()
	ctx, cancel := context.WithCancel(context.Background())
	done := s.shutdown(ctx)
	s.awaitPhase(fasthttp.PhaseDraining)
	c.send("/park")
	await(t, "the parked request", s.parked)
	cancel()
	await(t, "the end of Shutdown", done)
	s.unpark()
	c.receive()
	c.awaitFIN()
	s.awaitStats(fasthttp.ConnStats{})
	r := s.DrainReport()
	if r.FinalReadServed != 1 {
		t.Errorf("%d requests were served in final reads, want 1: %v", r.FinalReadServed, r)
	}
	gather(t, reg).want(t, accountOf(metrics.DefaultServer, r))
}

func TestCountersAddUpOverDrains(t *testing.T) {
	s := startServer(t)
	reg := pedantic(t, metrics.NewCollector(metrics.Servers{"": s.Server}))
	for drains := 1; drains <= 3; drains++ {
		c := s.dial()
		c.send("/")
		c.receive()
		done := s.shutdown(context.Background())
		c.awaitFIN()
		if err := await(t, "the end of Shutdown", done); err != nil {
			t.Fatal(err)
		}
		gather(t, reg).want(t, series{
			"fasthttp_server_drains_total/default/graceful":                 float64(drains),
			"fasthttp_server_drained_connections_total/default/closed_idle": float64(drains),
			"fasthttp_server_drain_phase/default/stopped":                   1,
		})
		if err := await(t, "the end of Serve", s.served); err != nil {
			t.Fatal(err)
		}
		// The port of before may be another's by now.
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.addr = ln.Addr().String()
		go func() { s.served <- s.Serve(ln) }()
		s.t.Cleanup(func() { ln.Close() })
		awaitServing(t, s)
	}
}

// awaitServing waits until a server that has stopped serves again.
func awaitServing(t *testing.T, s *testServer) {
	t.Helper()
	c := s.dial()
	c.send("/")
	c.receive()
	c.Close()
	s.awaitStats(fasthttp.ConnStats{})
}

func TestConcurrentScrapesThroughADrain(t *testing.T) {
	t.Parallel()
	d := startDrained(t)
	reg := pedantic(t, metrics.NewCollector(metrics.Servers{"": d.Server}))
	stop := make(chan struct{})
	var scrapers sync.WaitGroup
	for range 4 {
		scrapers.Go(func() {
			var last series
			for {
				families, err := reg.Gather()
				if err != nil {
					t.Errorf("a scrape failed: %v", err)
					return
				}
				have := seriesOf(t, families)
				for k, v := range have {
					if strings.Contains(k, "_total/") && v < last[k] {
						t.Errorf("the counter %s fell from %v to %v", k, last[k], v)
					}
				}
				states := 0.0
				for _, state := range []string{"new", "active", "idle"} {
					states += have["fasthttp_server_connections/default/"+state]
				}
				if open := have["fasthttp_server_open_connections/default/"]; open != states {
					t.Errorf("%v connections are open, the states say %v", open, states)
				}
				last = have
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	d.begin(context.Background())
	d.end()
	close(stop)
	scrapers.Wait()
}

// The series of all scrapes share their labels: what a registry adds to them must
// not come into what another has gathered.
func TestLabelsOfARegistryStayItsOwn(t *testing.T) {
	c := metrics.NewCollector(metrics.Servers{"": {}})
	gatherAs := func(process string) []*dto.MetricFamily {
		reg := prometheus.NewPedanticRegistry()
		prometheus.WrapRegistererWith(prometheus.Labels{"process": process}, reg).MustRegister(c)
		families, err := reg.Gather()
		if err != nil {
			t.Fatalf("gathering of process %s: %v", process, err)
		}
		return families
	}
	first := gatherAs("first")
	gatherAs("second")
	for _, f := range first {
		for _, m := range f.GetMetric() {
			if !slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool {
				return l.GetName() == "process" && l.GetValue() == "first"
			}) {
				t.Errorf("%s of the first process has the labels %v", f.GetName(), m.GetLabel())
			}
		}
	}
	gather(t, pedantic(t, c)).want(t, series{
		"fasthttp_server_drain_phase/default/serving": 1,
	})
}

func TestServersWithoutSenseArePanics(t *testing.T) {
	for name, servers := range map[string]metrics.Servers{
		"nil":            {"a": nil},
		"not UTF-8":      {"\xff": {}},
		"the name twice": {"": {}, metrics.DefaultServer: {}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("NewCollector did not panic")
				}
			}()
			metrics.NewCollector(servers)
		})
	}
}
