//go:build !fastdrain

package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
)

// drainFlags does nothing: upstream has no drain to set up.
func drainFlags() func(*fasthttp.Server) {
	return func(*fasthttp.Server) {}
}

// collectors are what a scrape of the server collects: the two numbers that upstream has.
func collectors(s *fasthttp.Server) []prometheus.Collector {
	gauge := func(name string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: name}, value)
	}
	return []prometheus.Collector{
		gauge("open_connections", func() float64 { return float64(s.GetOpenConnectionsCount()) }),
		gauge("concurrency", func() float64 { return float64(s.GetCurrentConcurrency()) }),
	}
}
