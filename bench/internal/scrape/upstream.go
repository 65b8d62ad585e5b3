//go:build !fastdrain

package scrape

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
)

func collectors(s *fasthttp.Server) []prometheus.Collector {
	gauge := func(name string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: name}, value)
	}
	return []prometheus.Collector{
		gauge("open_connections", func() float64 { return float64(s.GetOpenConnectionsCount()) }),
		gauge("concurrency", func() float64 { return float64(s.GetCurrentConcurrency()) }),
	}
}
