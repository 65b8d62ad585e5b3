package metrics_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
)

func listen(t *testing.T, g prometheus.Gatherer, pages map[string]fasthttp.RequestHandler) (*metrics.Listener, string) {
	t.Helper()
	l, err := metrics.Listen("127.0.0.1:0", g, pages)
	if err != nil {
		t.Fatal(err)
	}
	return l, "http://" + l.Addr().String()
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("reading %s: %v", url, err)
	}
	return res.StatusCode, string(text)
}

// scrape reads the metrics over HTTP, as Prometheus does.
func scrape(t *testing.T, url string) series {
	t.Helper()
	status, body := get(t, url+metrics.MetricsPath)
	if status != http.StatusOK {
		t.Fatalf("the metrics' status is %d: %s", status, body)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatalf("the metrics do not parse: %v\n%s", err, body)
	}
	all := series{}
	for _, f := range families {
		for k, v := range seriesOf(t, []*dto.MetricFamily{f}) {
			all[k] = v
		}
	}
	return all
}

func TestTheLastFiguresOfADrainAreScraped(t *testing.T) {
	t.Parallel()
	d := startDrained(t)
	c := metrics.NewCollector(metrics.Servers{"api": d.Server})
	l, url := listen(t, pedantic(t, c), map[string]fasthttp.RequestHandler{
		"/ready": func(ctx *fasthttp.RequestCtx) {
			if !d.Ready() {
				ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
			}
		},
	})
	if status, _ := get(t, url+"/ready"); status != http.StatusOK {
		t.Errorf("ready is %d before the drain", status)
	}
	d.begin(context.Background())
	scrape(t, url).want(t, series{
		"fasthttp_server_drain_phase/api/draining":             1,
		"fasthttp_server_open_connections/api/":                1,
		"fasthttp_server_drains_total/api/graceful":            0,
		"fasthttp_server_hijacked_connections/api/":            1,
		"fasthttp_server_late_connections_total/api/":          0,
		"fasthttp_server_connections/api/active":               1,
		"fasthttp_server_stop_seen_connections/api/":           0,
		"fasthttp_server_drain_phase/api/serving":              0,
		"fasthttp_server_connections/api/idle":                 0,
		"fasthttp_server_drain_phase/api/stopped":              0,
		"fasthttp_server_drain_phase/api/timed_out":            0,
		"fasthttp_server_drains_total/api/forced":              0,
		"fasthttp_server_drains_total/api/timed_out":           0,
		"fasthttp_server_connections/api/new":                  0,
		"fasthttp_server_drain_phase/api/lame_duck":            0,
		"fasthttp_server_final_read_requests_total/api/served": 1,
	})
	if status, _ := get(t, url+"/ready"); status != http.StatusServiceUnavailable {
		t.Errorf("ready is %d during the drain", status)
	}
	r := d.end()

	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	scraped := make(chan error, 1)
	go func() {
		err := c.AwaitScrape(ctx)
		if err == nil {
			// As a process does: away with the listener, at once.
			err = l.Shutdown(ctx)
		}
		scraped <- err
	}()
	awaitWaiter(t, c)
	scrape(t, url).want(t, accountOf("api", r))
	if err := await(t, "the end of the listener", scraped); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp4", l.Addr().String()); err == nil {
		c.Close()
		t.Error("the listener still accepts after its Shutdown")
	}
}

func TestListenerNamesItsPages(t *testing.T) {
	l, url := listen(t, prometheus.NewRegistry(), map[string]fasthttp.RequestHandler{
		"/debug/drain": func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("the page") },
	})
	defer func() {
		if err := l.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/":            {200, "/debug/drain\n/metrics\n"},
		"/debug/drain": {200, "the page"},
		"/other":       {404, "/debug/drain\n/metrics\n"},
	} {
		if status, body := get(t, url+path); status != want.status || !strings.HasSuffix(body, want.body) {
			t.Errorf("%s is %d %q, want %d and %q", path, status, body, want.status, want.body)
		}
	}
}

func TestListenRefusesWhatCannotBe(t *testing.T) {
	if l, err := metrics.Listen("127.0.0.1:0", prometheus.NewRegistry(), map[string]fasthttp.RequestHandler{metrics.MetricsPath: nil}); err == nil {
		t.Error("Listen took a page in the metrics' place")
		_ = l.Shutdown(context.Background())
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if l, err := metrics.Listen(ln.Addr().String(), prometheus.NewRegistry(), nil); err == nil {
		t.Error("Listen took an address that is in use")
		_ = l.Shutdown(context.Background())
	}
}

func TestListenerEndsWhenItIsShutDownAtOnce(t *testing.T) {
	for range 50 {
		l, _ := listen(t, prometheus.NewRegistry(), nil)
		ended := make(chan error, 1)
		go func() { ended <- l.Shutdown(context.Background()) }()
		if err := await(t, "the end of the listener", ended); err != nil {
			t.Fatal(err)
		}
	}
}
