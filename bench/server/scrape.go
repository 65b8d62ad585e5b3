package main

import (
	"io"
	"log"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/valyala/fasthttp"
)

// scrapeEvery does what an HTTP handler for Prometheus does. Both sides have it, also
// where it is not called, so that they differ by no more than the server.
func scrapeEvery(s *fasthttp.Server, d time.Duration) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors(s)...)
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
