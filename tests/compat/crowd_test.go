package compat

import (
	"sync"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/tests/compat/client"
)

// crowd are clients under way.
type crowd struct {
	wg, ready sync.WaitGroup
	mu        sync.Mutex
	found     []client.Outcome
}

func begin(scene client.Scene, scripts []client.Script) *crowd {
	c := &crowd{found: make([]client.Outcome, len(scripts))}
	c.ready.Add(len(scripts))
	for i, s := range scripts {
		c.wg.Go(func() {
			o := scene.Run(s, c.ready.Done)
			c.mu.Lock()
			c.found[i] = o
			c.mu.Unlock()
		})
	}
	return c
}

// awaitReady waits until all have come to where they wait for the stop.
func (c *crowd) awaitReady(t *testing.T) {
	t.Helper()
	ready := make(chan struct{})
	go func() {
		c.ready.Wait()
		close(ready)
	}()
	select {
	case <-ready:
	case <-time.After(hang):
		t.Fatal("the clients have not come to the stop")
	}
}

func (c *crowd) outcomes() []client.Outcome {
	c.wg.Wait()
	return c.found
}
