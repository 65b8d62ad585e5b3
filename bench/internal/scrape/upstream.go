//go:build !fastdrain

package scrape

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
)

// What the project's collector exports of one server.
const families, series = 16, 39

// collectors are those of the two numbers that upstream has. Even, they have as many
// gauges with two labels beside them as make them as many as the project's.
func collectors(s *fasthttp.Server, even bool) []prometheus.Collector {
	gauge := func(name string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: name}, value)
	}
	all := []prometheus.Collector{
		gauge("open_connections", func() float64 { return float64(s.GetOpenConnectionsCount()) }),
		gauge("concurrency", func() float64 { return float64(s.GetCurrentConcurrency()) }),
	}
	if !even {
		return all
	}
	var vecs [families - 2]*prometheus.GaugeVec
	for i := range vecs {
		name := "plain_gauge_" + strconv.Itoa(i)
		vecs[i] = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: name}, []string{"server", "number"})
		all = append(all, vecs[i])
	}
	for n := range series - 2 {
		vecs[n%len(vecs)].WithLabelValues("bench", strconv.Itoa(n))
	}
	return all
}
