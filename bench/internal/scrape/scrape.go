// Package scrape does to a server what Prometheus does: it has all that the server
// can tell collected and written as text. Of the patched server that is the project's
// collector; of upstream's, the two numbers that it has, and, if it is to be even, as
// many plain gauges as the project has: what Prometheus's library takes for those is then
// no difference between the two.
package scrape

import (
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/valyala/fasthttp"
)

// Of returns what scrapes a server once.
func Of(s *fasthttp.Server, even bool) func() error {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors(s, even)...)
	return func() error {
		families, err := reg.Gather()
		if err != nil {
			return err
		}
		enc := expfmt.NewEncoder(io.Discard, expfmt.NewFormat(expfmt.TypeTextPlain))
		for _, f := range families {
			if err := enc.Encode(f); err != nil {
				return err
			}
		}
		return nil
	}
}

// Every scrapes a server every d until stop is called. It panics if a scrape fails.
// What the process, or the scrape itself, stood still does not count: bench pauses
// servers, and one that has been paused would be scraped at once, and again when its
// time has come.
func Every(s *fasthttp.Server, d time.Duration, even bool) (stop func()) {
	return every(Of(s, even), d)
}

// step is how exactly Every keeps to its times.
const step = time.Millisecond

func every(scrape func() error, d time.Duration) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(step)
		defer tick.Stop()
		var passed time.Duration
		for last := time.Now(); ; last = time.Now() {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			if passed += min(time.Since(last), 2*step); passed < d {
				continue
			}
			passed -= d
			if err := scrape(); err != nil {
				panic(err)
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}
