package observe

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
	"github.com/fastdrain/fastdrain/tools/dashboard"
	"github.com/fastdrain/fastdrain/tools/observe"
)

const (
	scrapeInterval = 100 * time.Millisecond

	metricsDir = "../../metrics"
	alerts     = metricsDir + "/alerts.yml"
)

// world is a Prometheus and what it scrapes: three servers of this process, each
// for a stop of its own, and two processes.
type world struct {
	began      time.Time
	collector  *metrics.Collector
	target     string
	prometheus *observe.Prometheus

	shop, stuck, full *server
	ends, killed      *child

	drainingAt time.Time // a scrape in shop's drain
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{began: time.Now(), shop: newServer(), stuck: newServer(), full: newServer()}
	w.shop.Drain.FinalRead = 2 * bound // the clients decide when
	w.stuck.Drain.FinalRead = -1
	w.stuck.Drain.Linger = bound
	w.shop.serve(t, listen(t))
	w.stuck.serve(t, listen(t))
	slow := listenSlowly(t)
	// The stop itself opens the gate: there is a second for the accept queue then, which
	// the test might be late for.
	open := sync.OnceFunc(func() { close(slow.gate) })
	w.full.Drain.OnPhase = func(p fasthttp.DrainPhase) {
		if p == fasthttp.PhaseClosingListeners {
			open()
		}
		w.full.phases <- p
	}
	w.full.serve(t, slow)

	w.collector = metrics.NewCollector(metrics.Servers{
		"shop": w.shop.Server, "stuck": w.stuck.Server, "full": w.full.Server,
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(w.collector)
	listener, err := metrics.Listen("127.0.0.1:0", registry, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Shutdown(t.Context()) })
	w.target = listener.Addr().String()
	w.ends, w.killed = startChild(t), startChild(t)

	w.prometheus, err = observe.Start(t.Context(), observe.Config{
		Dir:            t.TempDir(),
		ScrapeInterval: scrapeInterval,
		Targets:        map[string][]string{"fasthttp": {w.target, w.ends.metrics, w.killed.metrics}},
		Rules:          []string{alerts},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.prometheus.Stop)
	return w
}

// scraped waits for a scrape of a server that begins after the call.
func (w *world) scraped(t *testing.T, server string) time.Time {
	t.Helper()
	return w.scrapedSeries(t, `fasthttp_server_open_connections{server="`+server+`"}`)
}

func (w *world) scrapedSeries(t *testing.T, selector string) time.Time {
	t.Helper()
	at, err := w.prometheus.Scraped(t.Context(), selector)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestPrometheusThroughStops drains servers in good and in bad ways, compares
// what a real Prometheus scraped with what the clients know, and then asks that
// Prometheus all that the dashboard and the alert rules ask.
func TestPrometheusThroughStops(t *testing.T) {
	w := newWorld(t)
	for _, stop := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"drain under load", w.drainUnderLoad},
		{"timed out, with a late client", w.timedOutWithALateClient},
		{"accept queue fills", w.acceptQueueFills},
		{"ended after its drain", w.endedAfterItsDrain},
		{"killed in its drain", w.killedInItsDrain},
	} {
		if !t.Run(stop.name, stop.run) {
			t.FailNow()
		}
	}
	// The steps of a range begin at its start, so the last one may be before the
	// last scrape: let two more go by.
	w.scraped(t, "shop")
	over := observe.Range{From: w.began, To: w.scraped(t, "shop"), Step: scrapeInterval, RateInterval: 4 * scrapeInterval}

	t.Run("every query of the dashboard returns data", func(t *testing.T) {
		answers, err := w.prometheus.Ask(t.Context(), dashboard.New(), over)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range answers {
			if !finite(a.Series) {
				t.Errorf("%s: no data for %s", a.Query.Name(), a.Asked)
			}
			if a.Query.Where == "Verdicts" && strings.HasPrefix(a.Asked, "count") {
				if len(a.Series) != 1 || a.Series[0].Values[0].Value != 1 {
					t.Errorf("%s: %v never ended; one process was killed", a.Query.Name(), a.Series)
				}
			}
		}
		t.Logf("%d queries", len(answers))
	})
	t.Run("every variable of the dashboard offers values", func(t *testing.T) {
		offered, err := w.prometheus.AskVariables(t.Context(), dashboard.New(), over)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(offered["job"], " "); got != "fasthttp" {
			t.Errorf("jobs: %q", got)
		}
		if got := len(offered["instance"]); got != 3 {
			t.Errorf("%d instances: %q; want 3", got, offered["instance"])
		}
	})
	t.Run("every alert's expression returned data", func(t *testing.T) { w.checkAlerts(t, over) })
	t.Run("promtool", w.promtool)
}

// checkAlerts asks the expression of each rule over all the stops, which have
// brought about what each of them is for, and asks Prometheus whether it could
// evaluate the rules itself.
func (w *world) checkAlerts(t *testing.T, over observe.Range) {
	result, err := w.prometheus.API.Rules(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range result.Groups {
		for _, rule := range g.Rules {
			alert, ok := rule.(v1.AlertingRule)
			if !ok {
				t.Errorf("%T in the group %s", rule, g.Name)
				continue
			}
			n++
			if alert.Health != v1.RuleHealthGood {
				t.Errorf("%s: health %s: %s", alert.Name, alert.Health, alert.LastError)
			}
			answer, err := w.prometheus.AskOver(t.Context(), alert.Query, over)
			if err != nil {
				t.Fatalf("%s: %v", alert.Name, err)
			}
			if !finite(answer) {
				t.Errorf("%s: no data for %s", alert.Name, alert.Query)
			}
		}
	}
	if n != 5 {
		t.Errorf("%d alerts; want 5", n)
	}
}

// promtool lets promtool check what this repository has for Prometheus.
func (w *world) promtool(t *testing.T) {
	run := func(stdin string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "promtool", args...)
		cmd.Dir = metricsDir
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("", "check", "config", w.prometheus.ConfigFile)
	run("", "check", "rules", "alerts.yml")
	run("", "test", "rules", "alerts_test.yml")
	run(exposition(t, w.target), "check", "metrics")
	if _, err := os.Stat(filepath.Join(metricsDir, "dashboards", "fastdrain.json")); err != nil {
		t.Error(err)
	}
}
