//go:build fastdrain

package hot

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
)

// scrapeEvery is much more often than any Prometheus asks.
const scrapeEvery = 10 * time.Millisecond

// scraped has a server scraped for as long as it lives.
func scraped(s *fasthttp.Server) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(metrics.NewCollector(metrics.Servers{"bench": s}))
	go func() {
		for range time.Tick(scrapeEvery) {
			if _, err := reg.Gather(); err != nil {
				panic(err)
			}
			if !s.Ready() {
				return
			}
		}
	}()
}
