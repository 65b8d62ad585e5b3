//go:build fastdrain

package scrape

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
)

func collectors(s *fasthttp.Server, _ bool) []prometheus.Collector {
	return []prometheus.Collector{metrics.NewCollector(metrics.Servers{"bench": s})}
}
