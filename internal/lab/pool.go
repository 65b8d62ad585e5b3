package lab

import "sync"

// poolSize is the number of clients that share a pool of connections.
const poolSize = 256

// pool is the idle connections of some clients, as Go's http.Transport, Node's
// http.Agent or a proxy keep them for one server. The zero value is empty.
type pool struct {
	mu   sync.Mutex
	idle []socket // the last used one at the end
}

func (p *pool) put(s socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, s)
}

// takeLast takes the connection that was used last; none if the pool is empty.
func (p *pool) takeLast() (s socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.idle) - 1; last >= 0 {
		s, p.idle = p.idle[last], p.idle[:last]
	}
	return s
}

// takeFirst takes the connection that has not been used for longest.
func (p *pool) takeFirst() (s socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) > 0 {
		s, p.idle = p.idle[0], p.idle[1:]
	}
	return s
}

// clear closes all connections of the pool.
func (p *pool) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.idle {
		s.conn.Close()
	}
	p.idle = nil
}

// lastUsedFirst is a client of a pool that keeps what is hot hot, and leaves the
// rest alone until a burst, or a stop, makes the hot ones fewer.
func (c *client) lastUsedFirst(s *scenario) { c.pooled(s, (*pool).takeLast) }

// firstUsedFirst is a client of a pool whose connections take turns.
func (c *client) firstUsedFirst(s *scenario) { c.pooled(s, (*pool).takeFirst) }

// pooled sends one request after the other, each on a connection of the pool that
// it finds usable, or on a new one. One that is refused costs a request only, as
// there may be connections in the pool again for the next.
func (c *client) pooled(s *scenario, take func(*pool) socket) {
	p := &c.yard.pools[c.id/poolSize]
	defer p.clear()
	defer c.drop()
	// The pool begins with a connection for each client, as after a burst.
	for ok := c.dial(); c.goOn(); ok = c.borrow(p, take) {
		if ok && c.conn != nil && c.exchange(s.handler.draw(), "") && c.conn != nil {
			p.put(c.socket)
			c.socket = socket{}
		}
		if !c.started || !c.pause(s.think.draw()) {
			return
		}
	}
}

// borrow gets a connection, and reports false if there is none to have.
func (c *client) borrow(p *pool, take func(*pool) socket) bool {
	for {
		if c.socket = take(p); c.conn == nil {
			return c.dial()
		}
		if c.usable() {
			return true
		}
	}
}
