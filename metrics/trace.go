package metrics

import (
	"context"
	"time"

	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// SpanName is the name of the span of a drain.
const SpanName = "fasthttp.shutdown"

// TraceShutdowns makes every drain of the servers a trace of its own: a span
// [SpanName] that begins when Shutdown is called, with an event for each phase,
// named as the phase, and the account of the drain as attributes. It ends with
// the drain, before Shutdown returns; once the context of Shutdown has ended, that
// waits only a moment for it. Its status is an error unless the verdict is graceful.
// A process that ends after Shutdown has to [Flush] its provider.
//
// It sets Drain.OnPhase of the servers, and calls what was there. Call it once
// for a server, before it serves; a Drain.OnPhase set later takes its place.
// It panics if a server is nil or two have one name.
func TraceShutdowns(tracer trace.Tracer, servers Servers) {
	for _, s := range servers.sorted() {
		t := &drainTrace{tracer: tracer, server: s}
		next := s.srv.Drain.OnPhase
		s.srv.Drain.OnPhase = func(p fasthttp.DrainPhase) {
			t.enter(p)
			if next != nil {
				next(p)
			}
		}
	}
}

// drainTrace makes the spans of one server. A server has one drain at a time,
// and calls enter in order, so span needs no lock.
type drainTrace struct {
	tracer trace.Tracer
	server namedServer
	span   trace.Span // of the drain under way
}

func (t *drainTrace) enter(p fasthttp.DrainPhase) {
	now := time.Now()
	r := t.server.srv.DrainReport()
	if t.span == nil {
		_, t.span = t.tracer.Start(context.Background(), SpanName,
			trace.WithNewRoot(),
			trace.WithTimestamp(r.Started),
			trace.WithAttributes(attribute.String(ServerAttribute, t.server.name)))
	}
	t.span.AddEvent(p.String(), trace.WithTimestamp(now))
	if p != fasthttp.PhaseStopped && p != fasthttp.PhaseTimedOut {
		return
	}
	t.span.SetAttributes(reportAttributes(r)...)
	if verdict := r.Verdict(); verdict != fasthttp.VerdictGraceful {
		t.span.SetStatus(codes.Error, r.String())
	}
	t.span.End(trace.WithTimestamp(now))
	t.span = nil
}

// reportAttributes is the account of a drain. Durations are in seconds.
func reportAttributes(r fasthttp.DrainReport) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		attribute.String("fasthttp.drain.verdict", r.Verdict()),
		attribute.Float64("fasthttp.drain.lame_duck", r.LameDuck.Seconds()),
		attribute.Float64("fasthttp.drain.closing_listeners", r.ClosingListeners.Seconds()),
		attribute.Float64("fasthttp.drain.draining", r.Draining.Seconds()),
		attribute.Int("fasthttp.drain.open_at_stop", r.OpenAtStop),
		attribute.Int("fasthttp.drain.accepted", r.Accepted),
		attribute.Int("fasthttp.drain.final_read.served", r.FinalReadServed),
		attribute.Int("fasthttp.drain.final_read.rejected", r.FinalReadRejected),
		attribute.Int("fasthttp.drain.late", r.Late),
		attribute.Int("fasthttp.drain.undelivered", r.Undelivered),
		attribute.Int("fasthttp.drain.hijacked.returned", r.HijackedReturned),
		attribute.Int("fasthttp.drain.hijacked.left", r.HijackedLeft),
	}
	for i, n := range outcomeCounts(r.Outcomes) {
		attrs = append(attrs, attribute.Int("fasthttp.drain.outcome."+outcomes[i], n))
	}
	var queues []string
	for _, l := range r.Listeners {
		if !l.Emptied {
			queues = append(queues, l.Addr)
		}
	}
	return append(attrs, attribute.StringSlice("fasthttp.drain.accept_queues_not_emptied", queues))
}
