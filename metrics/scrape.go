package metrics

import (
	"context"
	"fmt"
	"sync"
)

// AwaitScrape waits for a scrape that begins after the call and has read all
// servers, so that the figures of a drain are not lost with the process. Call
// it after Shutdown, and close the listener that is scraped after it, in a way
// that lets a response finish: [Listener.Shutdown] does, and net/http's
// Server.Shutdown does too.
//
// It returns an error that wraps ctx.Err() if ctx ends before. Let ctx be
// longer than the scrape interval and its jitter, twice the interval is
// plenty, and let both together, drain and scrape, fit into the time that the
// process is given to stop. It waits for one scrape: of two Prometheus servers
// that scrape the process, the second may miss the last figures.
//
// A call of Collect by anybody counts as a scrape: where the process reads its
// own registry, use a registry of its own for it.
func (c *Collector) AwaitScrape(ctx context.Context) error {
	scraped, forget := c.scrapes.next()
	select {
	case <-scraped:
		return nil
	case <-ctx.Done():
		forget()
		return fmt.Errorf("the last figures were not scraped: %w (is the target still scraped while the process stops, and more often than this wait is long?)", ctx.Err())
	}
}

// scrapes numbers the scrapes of a collector in the order of their beginnings.
type scrapes struct {
	mu      sync.Mutex
	begun   uint64
	waiting map[chan struct{}]uint64 // for the end of a scrape with a higher number
}

// begin returns the number of a scrape.
func (s *scrapes) begin() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
	return s.begun
}

// end wakes who waited for a scrape that began when this one did.
func (s *scrapes) end(scrape uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ch, after := range s.waiting {
		if scrape > after {
			close(ch)
			delete(s.waiting, ch)
		}
	}
}

// next returns what is closed at the end of a scrape that begins from now on,
// and a function that gives up waiting for it.
func (s *scrapes) next() (scraped <-chan struct{}, forget func()) {
	ch := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = map[chan struct{}]uint64{}
	}
	s.waiting[ch] = s.begun
	return ch, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.waiting, ch)
	}
}
