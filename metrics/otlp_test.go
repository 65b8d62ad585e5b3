package metrics_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/fastdrain/fastdrain/metrics"
)

// receiver takes OTLP over HTTP, as a collector does.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*tracepb.Span
	metrics map[string]*metricspb.Metric // the last of each name
}

func startReceiver(t *testing.T) *receiver {
	r := &receiver{metrics: map[string]*metricspb.Metric{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Errorf("reading an export: %v", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		switch req.URL.Path {
		case "/v1/traces":
			var export collectortrace.ExportTraceServiceRequest
			if err := proto.Unmarshal(body, &export); err != nil {
				t.Errorf("an export of traces does not parse: %v", err)
			}
			for _, resource := range export.GetResourceSpans() {
				for _, scope := range resource.GetScopeSpans() {
					r.spans = append(r.spans, scope.GetSpans()...)
				}
			}
		case "/v1/metrics":
			var export collectormetrics.ExportMetricsServiceRequest
			if err := proto.Unmarshal(body, &export); err != nil {
				t.Errorf("an export of metrics does not parse: %v", err)
			}
			for _, resource := range export.GetResourceMetrics() {
				for _, scope := range resource.GetScopeMetrics() {
					for _, m := range scope.GetMetrics() {
						r.metrics[m.GetName()] = m
					}
				}
			}
		default:
			t.Errorf("an export to %s", req.URL.Path)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

func TestLastFiguresAndTraceAreExportedOverOTLP(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	rcv := startReceiver(t)
	traces, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(rcv.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	figures, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(rcv.URL+"/v1/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	// Both would come far too late by themselves.
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(traces, sdktrace.WithBatchTimeout(time.Hour)))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(figures, sdkmetric.WithInterval(time.Hour))))
	t.Cleanup(func() {
		_ = tracers.Shutdown(ctx)
		_ = meters.Shutdown(ctx)
	})

	d := startDrained(t)
	servers := metrics.Servers{"api": d.Server}
	metrics.TraceShutdowns(tracers.Tracer(metrics.ScopeName), servers)
	if _, err := metrics.Register(meters.Meter(metrics.ScopeName), servers); err != nil {
		t.Fatal(err)
	}
	d.begin(ctx)
	r := d.end()
	if err := metrics.Flush(ctx, tracers, meters); err != nil {
		t.Fatal(err)
	}

	rcv.mu.Lock()
	defer rcv.mu.Unlock()
	if len(rcv.spans) != 1 || rcv.spans[0].GetName() != metrics.SpanName {
		t.Fatalf("received the spans %v, want one %s", rcv.spans, metrics.SpanName)
	}
	span := rcv.spans[0]
	var events []string
	for _, e := range span.GetEvents() {
		events = append(events, e.GetName())
		if at := e.GetTimeUnixNano(); at < span.GetStartTimeUnixNano() || at > span.GetEndTimeUnixNano() {
			t.Errorf("the event %s is outside its span", e.GetName())
		}
	}
	if want := []string{"closing_listeners", "draining", "stopped"}; !slices.Equal(events, want) {
		t.Errorf("received the events %q, want %q", events, want)
	}
	if have, want := span.GetStartTimeUnixNano(), uint64(r.Started.UnixNano()); have != want {
		t.Errorf("the span begins at %d, the drain at %d", have, want)
	}

	ended := int64(0)
	m := rcv.metrics["fasthttp.server.drained_connections"]
	for _, p := range m.GetSum().GetDataPoints() {
		ended += p.GetAsInt()
	}
	if ended != int64(r.Outcomes.Total()) || ended != openAtStop {
		t.Errorf("received %d drained connections, the report has %d, and %d were open: %v", ended, r.Outcomes.Total(), openAtStop, m)
	}
	if want := metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE; m.GetSum().GetAggregationTemporality() != want || !m.GetSum().GetIsMonotonic() {
		t.Errorf("the sum is %v, monotonic: %t", m.GetSum().GetAggregationTemporality(), m.GetSum().GetIsMonotonic())
	}
	for _, in := range metrics.Instruments() {
		// The listener has closed, and its accept queue with it.
		if in.OTel != "" && in.Label != "listener" && rcv.metrics[in.OTel] == nil {
			t.Errorf("%s was not exported", in.OTel)
		}
	}
}
