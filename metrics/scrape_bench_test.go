package metrics_test

import (
	"io"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
)

// benchCollector is a collector of a server that listens and has a connection: most
// of a scrape does not depend on how many there are.
func benchCollector(b *testing.B) *metrics.Collector {
	b.Helper()
	s := startServer(b)
	s.dial()
	s.awaitStats(fasthttp.ConnStats{Open: 1, New: 1})
	return metrics.NewCollector(metrics.Servers{"bench": s.Server})
}

// BenchmarkScrape is all that a scrape costs the process, but for the network.
func BenchmarkScrape(b *testing.B) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(benchCollector(b))
	b.ReportAllocs()
	for b.Loop() {
		writeText(b, io.Discard, reg)
	}
}

// BenchmarkCollect is the part of it that is this package's.
func BenchmarkCollect(b *testing.B) {
	c := benchCollector(b)
	ch := make(chan prometheus.Metric, 1000)
	b.ReportAllocs()
	for b.Loop() {
		c.Collect(ch)
		for len(ch) > 0 {
			<-ch
		}
	}
}
