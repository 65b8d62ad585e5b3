package metrics_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fastdrain/fastdrain/metrics"
)

func TestAwaitScrapeDoesNotTakeAScrapeThatHadBegun(t *testing.T) {
	c := metrics.NewCollector(metrics.Servers{"": {}})
	// A scrape that goes on as long as its metrics are not read.
	early := make(chan prometheus.Metric)
	ended := make(chan struct{})
	go func() {
		c.Collect(early)
		close(early)
		close(ended)
	}()
	await(t, "the beginning of the early scrape", early)

	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	scraped := make(chan error, 1)
	go func() { scraped <- c.AwaitScrape(ctx) }()
	awaitWaiter(t, c)
	for range early {
	}
	await(t, "the end of the early scrape", ended)
	if metrics.Waiting(c) != 1 {
		t.Fatal("AwaitScrape took a scrape that had begun before it")
	}
	gather(t, pedantic(t, c))
	if err := await(t, "the scrape", scraped); err != nil {
		t.Error(err)
	}
}

func awaitWaiter(t *testing.T, c *metrics.Collector) {
	t.Helper()
	for end := time.Now().Add(bound); metrics.Waiting(c) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody waits for a scrape")
		}
	}
}

func TestAwaitScrapeGivesUpWithItsContext(t *testing.T) {
	c := metrics.NewCollector(metrics.Servers{"": {}})
	gather(t, pedantic(t, c)) // before: does not count
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := c.AwaitScrape(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "last figures") {
		t.Errorf("AwaitScrape returned %v", err)
	}
	if n := metrics.Waiting(c); n != 0 {
		t.Errorf("%d still wait", n)
	}
}
