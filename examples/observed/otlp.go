package main

import (
	"context"
	"errors"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/fastdrain/fastdrain/metrics"
)

// export sets up OpenTelemetry for the servers and returns what exports the last
// figures and the trace of the drain, and ends it. Without a URL there is none.
func export(ctx context.Context, url string, servers metrics.Servers) (flush func(context.Context) error, err error) {
	if url == "" {
		return func(context.Context) error { return nil }, nil
	}
	url = strings.TrimSuffix(url, "/")
	traces, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(url+"/v1/traces"))
	if err != nil {
		return nil, err
	}
	figures, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(url+"/v1/metrics"))
	if err != nil {
		return nil, err
	}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(traces))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(figures)))
	metrics.TraceShutdowns(tracers.Tracer(metrics.ScopeName), servers)
	if _, err := metrics.Register(meters.Meter(metrics.ScopeName), servers); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return errors.Join(metrics.Flush(ctx, tracers, meters), tracers.Shutdown(ctx), meters.Shutdown(ctx))
	}, nil
}
