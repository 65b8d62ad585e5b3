package metrics_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainhandler"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/fastdrain/fastdrain/metrics"
)

// A whole service: it serves, is scraped and watched on an address of its own,
// drains on SIGTERM, stays until the last figures have been scraped, and exits
// with 1 if the drain was not graceful.
func Example() {
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("hello") }}
	collector := metrics.NewCollector(metrics.Servers{"api": srv})
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)
	watch, err := metrics.Listen(":9090", registry, map[string]fasthttp.RequestHandler{
		"/debug/drain": drainhandler.New(srv),
	})
	if err != nil {
		log.Fatal(err)
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	go func() {
		if err := srv.ListenAndServe(":8080"); err != nil {
			log.Fatal(err)
		}
	}()
	<-stop.Done()

	grace, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_ = srv.ShutdownWithContext(grace) // the verdict says it, too
	report := metrics.LogReport(srv)

	last, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := collector.AwaitScrape(last); err != nil {
		log.Print(err)
	}
	_ = watch.Shutdown(last)
	if report.Verdict() != "graceful" {
		os.Exit(1)
	}
}

// The series of a server are there before its first connection.
func ExampleNewCollector() {
	srv := &fasthttp.Server{}
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.NewCollector(metrics.Servers{"api": srv}))

	fmt.Println(testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP fasthttp_server_drains_total Drains that have ended: graceful, forced (the drain closed connections) or timed_out (the context ended first).
# TYPE fasthttp_server_drains_total counter
fasthttp_server_drains_total{server="api",verdict="forced"} 0
fasthttp_server_drains_total{server="api",verdict="graceful"} 0
fasthttp_server_drains_total{server="api",verdict="timed_out"} 0
`), "fasthttp_server_drains_total"))
	// Output: <nil>
}

func ExampleListen() {
	srv := &fasthttp.Server{}
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.NewCollector(metrics.Servers{"api": srv}))
	watch, err := metrics.Listen("127.0.0.1:0", registry, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = watch.Shutdown(context.Background()) }()

	res, err := http.Get("http://" + watch.Addr().String() + metrics.MetricsPath)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "fasthttp_server_connections") {
			fmt.Print(line)
		}
	}
	// Output:
	// fasthttp_server_connections{server="api",state="active"} 0
	// fasthttp_server_connections{server="api",state="idle"} 0
	// fasthttp_server_connections{server="api",state="new"} 0
}

func ExampleRegister() {
	reader := sdkmetric.NewManualReader() // yours exports: sdkmetric.NewPeriodicReader(exporter)
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	srv := &fasthttp.Server{}
	if _, err := metrics.Register(provider.Meter(metrics.ScopeName), metrics.Servers{"api": srv}); err != nil {
		fmt.Println(err)
		return
	}

	var data metricdata.ResourceMetrics
	_ = reader.Collect(context.Background(), &data)
	for _, m := range data.ScopeMetrics[0].Metrics {
		fmt.Println(m.Name, m.Unit)
	}
	// Output:
	// fasthttp.server.open_connections {connection}
	// fasthttp.server.connections.stop_seen {connection}
	// fasthttp.server.connections.hijacked {connection}
	// fasthttp.server.connection.oldest_idle s
	// fasthttp.server.drain.phase {server}
	// fasthttp.server.drain.elapsed s
	// fasthttp.server.drain.listeners {listener}
	// fasthttp.server.drains {drain}
	// fasthttp.server.drained_connections {connection}
	// fasthttp.server.stop.accepted {connection}
	// fasthttp.server.final_read.requests {request}
	// fasthttp.server.connections.late {connection}
	// fasthttp.server.connections.undelivered {connection}
	// fasthttp.server.drained_hijacked_connections {connection}
}

func ExampleTraceShutdowns() {
	spans := tracetest.NewInMemoryExporter() // yours sends: otlptracehttp.New(ctx)
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans))
	srv := &fasthttp.Server{}
	metrics.TraceShutdowns(provider.Tracer(metrics.ScopeName), metrics.Servers{"api": srv})

	_ = srv.Shutdown()
	_ = metrics.Flush(context.Background(), provider)
	for _, span := range spans.GetSpans() {
		fmt.Println(span.Name)
		for _, event := range span.Events {
			fmt.Println("-", event.Name)
		}
	}
	// Output:
	// fasthttp.shutdown
	// - closing_listeners
	// - draining
	// - stopped
}

// Without a scrape after the drain its last figures are lost.
func ExampleCollector_AwaitScrape() {
	collector := metrics.NewCollector(metrics.Servers{"api": {}})
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)

	go func() {
		for { // Prometheus scrapes again and again
			_, _ = registry.Gather()
			time.Sleep(10 * time.Millisecond)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	fmt.Println(collector.AwaitScrape(ctx))
	// Output: <nil>
}

func ExampleLogReport() {
	srv := &fasthttp.Server{
		Handler: func(*fasthttp.RequestCtx) {},
		Logger:  log.New(withoutDuration{os.Stdout}, "", 0),
	}
	_ = srv.Shutdown()
	report := metrics.LogReport(srv)
	fmt.Println(report.Verdict())
	// Output:
	// drain graceful in ...: 0 connections open at the stop, 0 accepted since; 0 closed after a response, 0 idle, 0 rejected, 0 closed by the client, 0 hijacked, 0 errors, 0 forced, 0 left open; final reads: 0 requests served, 0 rejected; 0 connections late
	// graceful
}

// withoutDuration makes the output of an example the same each time.
type withoutDuration struct{ w io.Writer }

func (w withoutDuration) Write(p []byte) (int, error) {
	before, rest, _ := strings.Cut(string(p), " in ")
	_, after, _ := strings.Cut(rest, ":")
	_, err := io.WriteString(w.w, before+" in ...:"+after)
	return len(p), err
}

// The table of all instruments, for one's own documentation or checks.
func ExampleInstruments() {
	for _, in := range metrics.Instruments() {
		if in.Kind == metrics.Gauge {
			fmt.Println(in.Kind, in.Prometheus, in.Unit)
		}
	}
	page := metrics.Table() // the same in Markdown
	fmt.Println(strings.Contains(page, "fasthttp_server_drain_start_timestamp_seconds"))
	// The names that the instruments share.
	fmt.Println(metrics.ServerLabel, metrics.ServerAttribute, metrics.DefaultServer, metrics.SpanName)
	// Output:
	// gauge fasthttp_server_oldest_idle_connection_seconds s
	// gauge fasthttp_server_drain_start_timestamp_seconds s
	// gauge fasthttp_server_drain_duration_seconds s
	// true
	// server fasthttp.server.name default fasthttp.shutdown
}
