//go:build fastdrain

package main

import (
	"flag"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
)

// drainFlags defines the flags that only the patched copy understands, and
// returns the function that applies them to a server after flag.Parse.
func drainFlags() func(*fasthttp.Server) {
	finalRead := flag.Duration("final-read", 0, "at the stop, wait this `long` for a last request on each connection; 0 is the default, negative is not at all")
	return func(s *fasthttp.Server) { s.Drain.FinalRead = *finalRead }
}

// collectors are what a scrape of the server collects.
func collectors(s *fasthttp.Server) []prometheus.Collector {
	return []prometheus.Collector{metrics.NewCollector(metrics.Servers{"bench": s})}
}
