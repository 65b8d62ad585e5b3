package probe

import "sync"

// pool is the idle connections of some clients, as Go's http.Transport, Node's
// http.Agent and most proxies keep them: the last used one is used again first.
type pool struct {
	mu   sync.Mutex
	idle []connection
}

func (p *pool) put(c connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

// take takes the connection that was used last; none if the pool is empty.
func (p *pool) take() (c connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.idle) - 1; last >= 0 {
		c, p.idle = p.idle[last], p.idle[:last]
	}
	return c
}

// clear closes all connections of the pool.
func (p *pool) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.idle {
		p.idle[i].drop()
	}
	p.idle = nil
}
