package metrics_test

import (
	"context"
	"slices"
	"testing"

	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/fastdrain/fastdrain/metrics"
)

// traced makes the drains of a server traces; call it before the first.
func traced(t *testing.T, s *testServer) *tracetest.SpanRecorder {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	metrics.TraceShutdowns(provider.Tracer(metrics.ScopeName), metrics.Servers{"api": s.Server})
	return spans
}

func eventNames(span sdk.ReadOnlySpan) []string {
	var names []string
	for _, e := range span.Events() {
		names = append(names, e.Name)
	}
	return names
}

func attributes(span sdk.ReadOnlySpan) map[attribute.Key]attribute.Value {
	attrs := map[attribute.Key]attribute.Value{}
	for _, a := range span.Attributes() {
		attrs[a.Key] = a.Value
	}
	return attrs
}

func TestADrainIsATrace(t *testing.T) {
	t.Parallel()
	d := startDrained(t)
	spans := traced(t, d.testServer)
	d.Drain.LameDuck = 1
	d.begin(context.Background())
	if ended := spans.Ended(); len(ended) != 0 {
		t.Errorf("%d spans ended before their drain", len(ended))
	}
	r := d.end()

	ended := spans.Ended()
	if len(ended) != 1 {
		t.Fatalf("%d spans, want 1", len(ended))
	}
	span := ended[0]
	if span.Name() != metrics.SpanName || span.Parent().IsValid() {
		t.Errorf("the span is %q, below %v", span.Name(), span.Parent())
	}
	want := []string{"lame_duck", "closing_listeners", "draining", "stopped"}
	if have := eventNames(span); !slices.Equal(have, want) {
		t.Errorf("the events are %q, want %q", have, want)
	}
	last := span.StartTime()
	for _, e := range span.Events() {
		if e.Time.Before(last) {
			t.Errorf("the event %s is at %v, before the one before it or the beginning at %v", e.Name, e.Time, last)
		}
		last = e.Time
	}
	if !span.StartTime().Equal(r.Started) || span.EndTime().Before(last) {
		t.Errorf("the span is from %v to %v, the drain began at %v and its last event is at %v",
			span.StartTime(), span.EndTime(), r.Started, last)
	}
	if span.Status().Code != codes.Unset {
		t.Errorf("the status of a graceful drain is %v", span.Status())
	}
	attrs := attributes(span)
	for name, want := range map[attribute.Key]int64{
		"fasthttp.drain.open_at_stop":                  openAtStop,
		"fasthttp.drain.accepted":                      int64(r.Accepted),
		"fasthttp.drain.final_read.served":             1,
		"fasthttp.drain.final_read.rejected":           0,
		"fasthttp.drain.late":                          int64(r.Late),
		"fasthttp.drain.undelivered":                   int64(r.Undelivered),
		"fasthttp.drain.hijacked.returned":             1,
		"fasthttp.drain.hijacked.left":                 0,
		"fasthttp.drain.outcome.closed_after_response": 2,
		"fasthttp.drain.outcome.closed_idle":           2,
		"fasthttp.drain.outcome.left_open":             0,
	} {
		if v, ok := attrs[name]; !ok || v.AsInt64() != want {
			t.Errorf("%s is %v (present: %t), want %d", name, v.AsInt64(), ok, want)
		}
	}
	if v := attrs["fasthttp.drain.verdict"].AsString(); v != "graceful" {
		t.Errorf("the verdict is %q", v)
	}
	if v := attrs[metrics.ServerAttribute].AsString(); v != "api" {
		t.Errorf("the server is %q", v)
	}
	if v := attrs["fasthttp.drain.draining"].AsFloat64(); v != r.Draining.Seconds() {
		t.Errorf("draining took %v s, the report says %v", v, r.Draining)
	}
}

func TestTheTraceOfADrainThatTimesOutIsAnError(t *testing.T) {
	s := startServer(t)
	spans := traced(t, s)
	c := s.dial()
	c.send("/park")
	await(t, "the parked request", s.parked)
	ctx, cancel := context.WithCancel(context.Background())
	done := s.shutdown(ctx)
	// The phases still come to the callback that was there before.
	s.awaitPhase(fasthttp.PhaseDraining)
	cancel()
	await(t, "the end of Shutdown", done)
	// Once the context has ended, Shutdown waits for no callback.
	s.awaitPhase(fasthttp.PhaseTimedOut)

	ended := spans.Ended()
	if len(ended) != 1 {
		t.Fatalf("%d spans, want 1", len(ended))
	}
	if have := eventNames(ended[0]); have[len(have)-1] != "timed_out" {
		t.Errorf("the events are %q, the last should be timed_out", have)
	}
	if status := ended[0].Status(); status.Code != codes.Error || status.Description != s.DrainReport().String() {
		// The report's duration stands still after the end.
		t.Errorf("the status is %+v", status)
	}
	if v := attributes(ended[0])["fasthttp.drain.outcome.left_open"].AsInt64(); v != 1 {
		t.Errorf("%d connections were left open, want 1", v)
	}
}
