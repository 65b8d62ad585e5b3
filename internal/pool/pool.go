// Package pool has the idle connections of some clients, as Go's http.Transport,
// Node's http.Agent and proxies keep them for one server.
package pool

import "sync"

// Pool is a pool of idle connections, or of what stands for them. The zero value is
// empty. All its methods may be called at the same time.
type Pool[T any] struct {
	mu   sync.Mutex
	idle []T // the last used one at the end
}

// Put puts a connection into the pool that has just been used.
func (p *Pool[T]) Put(c T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

// TakeLast takes the connection that was used last, as most clients do; the zero
// value if the pool is empty.
func (p *Pool[T]) TakeLast() (c T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.idle) - 1; last >= 0 {
		c, p.idle = p.idle[last], p.idle[:last]
	}
	return c
}

// TakeFirst takes the connection that has not been used for longest; the zero value
// if the pool is empty.
func (p *Pool[T]) TakeFirst() (c T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) > 0 {
		c, p.idle = p.idle[0], p.idle[1:]
	}
	return c
}

// Clear empties the pool, and hands each connection to drop.
func (p *Pool[T]) Clear(drop func(T)) {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		drop(c)
	}
}
