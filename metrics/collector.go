package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Collector is a [prometheus.Collector] over one or several servers. It is safe
// for concurrent scrapes.
type Collector struct {
	servers  []namedServer
	families []*family
	known    int // how many series there are at least: all but those of listeners
	scrapes  scrapes
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
		if in.Prometheus == "" {
			continue
		}
		c.families = append(c.families, newFamily(in, c.servers))
		c.known += len(c.servers) * len(in.known())
	}
	return c
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range c.families {
		ch <- f.desc
	}
}

// Collect implements [prometheus.Collector]. It takes one snapshot of each
// server.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	scrape := c.scrapes.begin()
	defer c.scrapes.end(scrape)
	// All samples are made before the first is sent. Whoever reads ch does so on
	// another goroutine, and would sleep and be woken between two of them.
	samples := c.samples()
	for i := range samples {
		ch <- &samples[i]
	}
}

// samples reads the servers.
func (c *Collector) samples() []sample {
	const listeners = 4 // room for the series of two of them
	samples := make([]sample, 0, c.known+listeners)
	for i, s := range c.servers {
		var f *family // which is being read: one closure does for all
		add := func(label string, v float64) {
			samples = append(samples, sample{f, f.labels[i].of(label), v})
		}
		snap := read(s.srv)
		for _, f = range c.families {
			f.read(snap, add)
		}
	}
	return samples
}
