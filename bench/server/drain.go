//go:build fastdrain

package main

import (
	"flag"
	"io"
	"log"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
)

// drainFlags defines the flags that only the patched copy understands, and
// returns the function that applies them to a server after flag.Parse.
func drainFlags() func(*fasthttp.Server) {
	finalRead := flag.Duration("final-read", 0, "at the stop, wait this `long` for a last request on each connection; 0 is the default, negative is not at all")
	scrape := flag.Duration("scrape", 0, "scrape the server's metrics this `often`")
	return func(s *fasthttp.Server) {
		s.Drain.FinalRead = *finalRead
		if *scrape > 0 {
			reg := prometheus.NewRegistry()
			reg.MustRegister(metrics.NewCollector(metrics.Servers{"bench": s}))
			go scrapeEvery(reg, *scrape)
		}
	}
}

// scrapeEvery does what an HTTP handler for Prometheus does.
func scrapeEvery(reg *prometheus.Registry, d time.Duration) {
	for range time.Tick(d) {
		families, err := reg.Gather()
		if err != nil {
			log.Fatal(err)
		}
		enc := expfmt.NewEncoder(io.Discard, expfmt.NewFormat(expfmt.TypeTextPlain))
		for _, f := range families {
			if err := enc.Encode(f); err != nil {
				log.Fatal(err)
			}
		}
	}
}
