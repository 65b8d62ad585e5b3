package scrape

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
)

func TestEveryScrapesUntilItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, looks := &fasthttp.Server{}, 0
		stop := every(func() error { looks++; return Of(s, false)() }, time.Second)
		time.Sleep(10*time.Second + time.Second/2)
		stop()
		time.Sleep(10 * time.Second)
		if looks != 10 {
			t.Errorf("%d scrapes in 10 s, want one a second and none after the end", looks)
		}
	})
}

// A pause of the process is not made up for.
func TestEveryLeavesOutAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends []time.Time
		begun, paused := time.Now(), 3*time.Second
		stop := every(func() error {
			time.Sleep(paused)
			ends = append(ends, time.Now())
			return nil
		}, 10*step)
		time.Sleep(2*paused + 20*step)
		stop()
		if len(ends) != 2 || ends[0].Sub(begun) < paused+10*step || ends[1].Sub(ends[0]) < paused+9*step {
			t.Errorf("scrapes that take %v end %v after %v, want each 10 ms after the one before it", paused, ends, begun)
		}
	})
}

// Even, the two have as many families and series.
func TestEven(t *testing.T) {
	s := &fasthttp.Server{}
	count := func(c ...prometheus.Collector) (families, series int) {
		reg := prometheus.NewRegistry()
		reg.MustRegister(c...)
		all, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			series += len(f.GetMetric())
		}
		return len(all), series
	}
	families, series := count(metrics.NewCollector(metrics.Servers{"bench": s}))
	if f, n := count(collectors(s, true)...); f != families || n != series {
		t.Errorf("%d families with %d series, the project's collector has %d with %d", f, n, families, series)
	}
}
