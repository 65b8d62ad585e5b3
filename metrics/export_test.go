package metrics

// Waiting is how many calls of AwaitScrape wait, for tests.
func Waiting(c *Collector) int {
	c.scrapes.mu.Lock()
	defer c.scrapes.mu.Unlock()
	return len(c.scrapes.waiting)
}
