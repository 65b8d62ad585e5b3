package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Collector is a [prometheus.Collector] over one or several servers. It is safe
// for concurrent scrapes.
type Collector struct {
	servers []namedServer
	descs   []*prometheus.Desc // of instruments, nil for one without a Prometheus name
	scrapes scrapes
}

var _ prometheus.Collector = (*Collector)(nil)

// NewCollector returns a collector to be registered with a Prometheus registry,
// before or after the servers begin to serve. It panics if a server is nil or
// two have one name.
//
// A registry takes a single collector of this kind: give it all servers.
func NewCollector(servers Servers) *Collector {
	c := &Collector{servers: servers.sorted()}
	for _, in := range instruments {
		var desc *prometheus.Desc
		if in.Prometheus != "" {
			labels := []string{ServerLabel}
			if in.Label != "" {
				labels = append(labels, in.Label)
			}
			desc = prometheus.NewDesc(in.Prometheus, in.Help, labels, nil)
		}
		c.descs = append(c.descs, desc)
	}
	return c
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range c.descs {
		if desc != nil {
			ch <- desc
		}
	}
}

// Collect implements [prometheus.Collector]. It takes one snapshot of each
// server.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	scrape := c.scrapes.begin()
	defer c.scrapes.end(scrape)
	for _, s := range c.servers {
		snap := read(s.srv)
		for i, in := range instruments {
			desc := c.descs[i]
			if desc == nil {
				continue
			}
			kind := prometheus.GaugeValue
			if in.Kind == Counter {
				kind = prometheus.CounterValue
			}
			in.read(snap, func(label string, v float64) {
				if in.Label == "" {
					ch <- prometheus.MustNewConstMetric(desc, kind, v, s.name)
					return
				}
				ch <- prometheus.MustNewConstMetric(desc, kind, v, s.name, label)
			})
		}
	}
}
