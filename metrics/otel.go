package metrics

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// ScopeName is the name to make the meter and the tracer with:
//
//	meter := provider.Meter(metrics.ScopeName)
const ScopeName = "github.com/fastdrain/fastdrain/metrics"

// Register makes the OpenTelemetry instruments on a meter and observes the
// servers in one callback, with one snapshot of each server per collection.
// Unregister what it returns to end that. It panics if a server is nil or two
// have one name.
//
// The numbers are those of the Prometheus collector: use one of the two, by what
// your dashboards read. Both on one
// registry (OpenTelemetry's exporter for Prometheus beside a [Collector]) can
// be scraped, but where the names are the same a sum counts twice, unless it
// selects otel_scope_name="".
func Register(meter metric.Meter, servers Servers) (metric.Registration, error) {
	var (
		list  = servers.sorted()
		obs   []metric.Observable
		calls []func(metric.Observer, int, *snapshot) // by the server's index
	)
	for _, in := range instruments {
		if in.OTel == "" {
			continue
		}
		o, observe, err := observable(meter, in)
		if err != nil {
			return nil, fmt.Errorf("instrument %s: %w", in.OTel, err)
		}
		attrs := make([]*attributeSets, len(list))
		for i, s := range list {
			attrs[i] = newAttributeSets(s.name, in)
		}
		obs = append(obs, o)
		calls = append(calls, func(ob metric.Observer, i int, snap *snapshot) {
			in.read(snap, func(label string, v float64) {
				observe(ob, v, attrs[i].of(label))
			})
		})
	}
	return meter.RegisterCallback(func(_ context.Context, ob metric.Observer) error {
		for i, s := range list {
			snap := read(s.srv)
			for _, call := range calls {
				call(ob, i, snap)
			}
		}
		return nil
	}, obs...)
}

// observable makes an instrument, of integers but where it counts seconds, and
// the function that observes it.
func observable(meter metric.Meter, in Instrument) (metric.Observable, func(metric.Observer, float64, metric.ObserveOption), error) {
	var (
		o    metric.Int64Observable
		err  error
		help = metric.WithDescription(in.Help)
		unit = metric.WithUnit(in.Unit)
	)
	switch {
	case in.Kind == Counter:
		o, err = meter.Int64ObservableCounter(in.OTel, help, unit)
	case in.Kind == Level:
		o, err = meter.Int64ObservableUpDownCounter(in.OTel, help, unit)
	case in.Kind == Gauge:
		var f metric.Float64ObservableGauge
		f, err = meter.Float64ObservableGauge(in.OTel, help, unit)
		return f, func(ob metric.Observer, v float64, attrs metric.ObserveOption) {
			ob.ObserveFloat64(f, v, attrs)
		}, err
	}
	return o, func(ob metric.Observer, v float64, attrs metric.ObserveOption) {
		ob.ObserveInt64(o, int64(v), attrs)
	}, err
}

// attributeSets are the attributes of one instrument of one server, made once
// where their values are known.
type attributeSets struct {
	server, attribute string
	known             map[string]metric.ObserveOption
}

func newAttributeSets(server string, in Instrument) *attributeSets {
	a := &attributeSets{server: server, attribute: in.Attribute, known: map[string]metric.ObserveOption{}}
	for _, v := range in.known() {
		a.known[v] = a.make(v)
	}
	return a
}

func (a *attributeSets) of(value string) metric.ObserveOption {
	if set, ok := a.known[value]; ok {
		return set
	}
	return a.make(value)
}

func (a *attributeSets) make(value string) metric.ObserveOption {
	attrs := []attribute.KeyValue{attribute.String(ServerAttribute, a.server)}
	if a.attribute != "" {
		attrs = append(attrs, attribute.String(a.attribute, value))
	}
	return metric.WithAttributeSet(attribute.NewSet(attrs...))
}

// Flusher is an OpenTelemetry provider of the SDK: a TracerProvider, a
// MeterProvider or a LoggerProvider.
type Flusher interface {
	ForceFlush(context.Context) error
}

// Flush lets providers export what they hold, so that the figures and the trace
// of a drain are not lost with the process: call it after Shutdown, and before
// the providers' own Shutdown. It tries all of them, one after the other, and
// returns their errors joined. It ends when ctx does.
func Flush(ctx context.Context, providers ...Flusher) error {
	var errs []error
	for _, p := range providers {
		errs = append(errs, p.ForceFlush(ctx))
	}
	return errors.Join(errs...)
}
