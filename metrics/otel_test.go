package metrics_test

import (
	"context"
	"errors"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/fastdrain/fastdrain/metrics"
)

// reader is OpenTelemetry's side of a server's metrics, read by hand.
type reader struct {
	t      *testing.T
	manual *sdk.ManualReader
}

func register(t *testing.T, servers metrics.Servers) (*reader, func()) {
	t.Helper()
	r := &reader{t, sdk.NewManualReader()}
	provider := sdk.NewMeterProvider(sdk.WithReader(r.manual))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	reg, err := metrics.Register(provider.Meter(metrics.ScopeName), servers)
	if err != nil {
		t.Fatal(err)
	}
	return r, func() {
		if err := reg.Unregister(); err != nil {
			t.Errorf("Unregister: %v", err)
		}
	}
}

// collect returns the values as the table's Prometheus side names them.
func (r *reader) collect() series {
	r.t.Helper()
	var data metricdata.ResourceMetrics
	if err := r.manual.Collect(context.Background(), &data); err != nil {
		r.t.Fatal(err)
	}
	byName := map[string]metrics.Instrument{}
	for _, in := range metrics.Instruments() {
		if in.OTel != "" {
			byName[in.OTel] = in
		}
	}
	found := series{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			in, ok := byName[m.Name]
			if !ok {
				r.t.Errorf("the table does not have %s", m.Name)
			}
			if m.Unit != in.Unit || m.Description != in.Help {
				r.t.Errorf("%s has the unit %q and the description %q, the table says %q and %q",
					m.Name, m.Unit, m.Description, in.Unit, in.Help)
			}
			put := func(attrs attribute.Set, v float64) {
				server, _ := attrs.Value(metrics.ServerAttribute)
				value, _ := attrs.Value(attribute.Key(in.Attribute))
				k := key(in.Prometheus, server.AsString(), "")
				if in.Attribute != "" {
					k = key(in.Prometheus, server.AsString(), value.AsString())
				}
				found[k] = v
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				if data.IsMonotonic != (in.Kind == metrics.Counter) {
					r.t.Errorf("%s: monotonic is %t, the table says %v", m.Name, data.IsMonotonic, in.Kind)
				}
				for _, p := range data.DataPoints {
					put(p.Attributes, float64(p.Value))
				}
			case metricdata.Gauge[float64]:
				if in.Kind != metrics.Gauge {
					r.t.Errorf("%s is a gauge, the table says %v", m.Name, in.Kind)
				}
				for _, p := range data.DataPoints {
					put(p.Attributes, p.Value)
				}
			default:
				r.t.Errorf("%s has data of the type %T", m.Name, data)
			}
		}
	}
	return found
}

// same compares what both sides show, where both have the number and it stands
// still.
func same(t *testing.T, when string, prom, otel series, moving ...string) {
	t.Helper()
	want := series{}
	for k, v := range prom {
		want[k] = v
	}
	drop := append(moving, "fasthttp_server_open_connections", "fasthttp_server_drain_start_timestamp_seconds")
	for k := range want {
		for _, name := range drop {
			if len(k) > len(name) && k[:len(name)+1] == name+"/" {
				delete(want, k)
				delete(otel, k)
			}
		}
	}
	if len(otel) < 20 {
		t.Fatalf("%s: OpenTelemetry has only these series:\n%v", when, otel)
	}
	for k := range otel {
		if _, ok := want[k]; !ok {
			t.Errorf("%s: only OpenTelemetry has %s", when, k)
		}
	}
	otel.want(t, want)
}

func TestOpenTelemetryFindsTheNumbersOfPrometheus(t *testing.T) {
	t.Parallel()
	d, second := startDrained(t), startServer(t)
	servers := metrics.Servers{"api": d.Server, "admin": second.Server}
	reg := pedantic(t, metrics.NewCollector(servers))
	otel, unregister := register(t, servers)
	const idle, elapsed = "fasthttp_server_oldest_idle_connection_seconds", "fasthttp_server_drain_duration_seconds"

	same(t, "before", gather(t, reg), otel.collect(), idle)
	d.begin(context.Background())
	same(t, "during", gather(t, reg), otel.collect(), elapsed)
	r := d.end()
	after := otel.collect()
	same(t, "after", gather(t, reg), otel.collect())
	account := accountOf("api", r)
	delete(account, key("fasthttp_server_drain_start_timestamp_seconds", "api", ""))
	after.want(t, account)

	unregister()
	if left := otel.collect(); len(left) != 0 {
		t.Errorf("observed after Unregister:\n%v", left)
	}
}

func TestBothExportersOnOneRegistry(t *testing.T) {
	for name, opts := range map[string][]otelprom.Option{
		"default":       nil,
		"without scope": {otelprom.WithoutScopeInfo()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDrained(t)
			servers := metrics.Servers{"": d.Server}
			reg := pedantic(t, metrics.NewCollector(servers))
			exporter, err := otelprom.New(append(opts, otelprom.WithRegisterer(reg))...)
			if err != nil {
				t.Fatal(err)
			}
			provider := sdk.NewMeterProvider(sdk.WithReader(exporter))
			defer func() { _ = provider.Shutdown(context.Background()) }()
			if _, err := metrics.Register(provider.Meter(metrics.ScopeName), servers); err != nil {
				t.Fatal(err)
			}
			before := gather(t, reg)
			d.begin(context.Background())
			during := gather(t, reg)
			r := d.end()
			families, err := reg.Gather()
			if err != nil {
				t.Fatalf("a scrape after the drain failed: %v", err)
			}
			if len(before) == 0 || len(during) == 0 {
				t.Error("a scrape was empty")
			}
			// Both are there, each with its own labels, and neither is lost.
			for _, f := range families {
				if f.GetName() != "fasthttp_server_drained_connections_total" {
					continue
				}
				native, otel := 0.0, 0.0
				for _, m := range f.GetMetric() {
					mine := false
					for _, l := range m.GetLabel() {
						mine = mine || l.GetName() == metrics.ServerLabel
					}
					if mine {
						native += m.GetCounter().GetValue()
					} else {
						otel += m.GetCounter().GetValue()
					}
				}
				if want := float64(r.Outcomes.Total()); native != want || otel != want {
					t.Errorf("the collector shows %v connections, OpenTelemetry %v, want %v", native, otel, want)
				}
				return
			}
			t.Error("no drained connections in the scrape")
		})
	}
}

type flusher struct {
	called *int
	err    error
}

func (f flusher) ForceFlush(context.Context) error {
	*f.called++
	return f.err
}

func TestFlushTriesAllProviders(t *testing.T) {
	called := 0
	first, third := errors.New("first"), errors.New("third")
	err := metrics.Flush(context.Background(), flusher{&called, first}, flusher{&called, nil}, flusher{&called, third})
	if called != 3 || !errors.Is(err, first) || !errors.Is(err, third) {
		t.Errorf("%d providers were flushed, the error is %v", called, err)
	}
}
