package scrape

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
)

func TestEveryScrapesUntilItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, looks := &fasthttp.Server{}, 0
		stop := every(func() error { looks++; return Of(s)() }, time.Second)
		time.Sleep(10*time.Second + time.Second/2)
		stop()
		time.Sleep(10 * time.Second)
		if looks != 10 {
			t.Errorf("%d scrapes in 10 s, want one a second and none after the end", looks)
		}
	})
}
