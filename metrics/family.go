package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// family is an instrument as Prometheus sees it: what is the same in all scrapes.
type family struct {
	Instrument
	desc   *prometheus.Desc
	labels []*labelPairs // by the server's index
}

// newFamily makes the family of an instrument that has a Prometheus name.
func newFamily(in Instrument, servers []namedServer) *family {
	names := []string{ServerLabel}
	if in.Label != "" {
		names = append(names, in.Label)
	}
	f := &family{Instrument: in, desc: prometheus.NewDesc(in.Prometheus, in.Help, names, nil)}
	for _, s := range servers {
		f.labels = append(f.labels, newLabelPairs(s.name, f))
	}
	return f
}

// labelPairs are the labels of one family of one server, made once where their
// values are known: making them anew is three quarters of a Collect.
//
// Scrapes share them, so nobody may write to them. Those of client_golang's own
// metrics are shared in the same way: its checkMetricConsistency calls them
// immutable by contract, and sorts a copy; its wrappingMetric, which adds the
// labels of WrapRegistererWith, appends to them and sorts, which is a copy as
// they have no capacity to spare.
type labelPairs struct {
	server string
	family *family
	values map[string][]*dto.LabelPair
}

func newLabelPairs(server string, f *family) *labelPairs {
	l := &labelPairs{server: server, family: f, values: map[string][]*dto.LabelPair{}}
	for _, v := range f.known() {
		l.values[v] = l.make(v)
	}
	return l
}

func (l *labelPairs) of(value string) []*dto.LabelPair {
	if pairs, ok := l.values[value]; ok {
		return pairs
	}
	return l.make(value)
}

func (l *labelPairs) make(value string) []*dto.LabelPair {
	values := []string{l.server}
	if l.family.Label != "" {
		values = append(values, value)
	}
	return slices.Clip(prometheus.MakeLabelPairs(l.family.desc, values))
}

// sample is the value of a series in one scrape.
type sample struct {
	family *family
	labels []*dto.LabelPair
	value  float64
}

var _ prometheus.Metric = (*sample)(nil)

// Desc implements [prometheus.Metric].
func (s *sample) Desc() *prometheus.Desc { return s.family.desc }

// Write implements [prometheus.Metric]. It only reads s, so it may be called at
// the same time by several.
func (s *sample) Write(m *dto.Metric) error {
	m.Label = s.labels
	if s.family.Kind == Counter {
		m.Counter = &dto.Counter{Value: &s.value}
	} else {
		m.Gauge = &dto.Gauge{Value: &s.value}
	}
	return nil
}
