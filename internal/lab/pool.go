package lab

import "github.com/fastdrain/fastdrain/internal/pool"

// poolSize is the number of clients that share a pool of connections.
const poolSize = 256

// lastUsedFirst is a client of a pool that keeps what is hot hot, and leaves the
// rest alone until a burst, or a stop, makes the hot ones fewer.
func (c *client) lastUsedFirst(s *scenario) { c.pooled(s, (*pool.Pool[socket]).TakeLast) }

// firstUsedFirst is a client of a pool whose connections take turns.
func (c *client) firstUsedFirst(s *scenario) { c.pooled(s, (*pool.Pool[socket]).TakeFirst) }

// pooled sends one request after the other, each on a connection of the pool that
// it finds usable, or on a new one. One that is refused costs a request only, as
// there may be connections in the pool again for the next.
func (c *client) pooled(s *scenario, take func(*pool.Pool[socket]) socket) {
	p := &c.yard.pools[c.id/poolSize]
	defer p.Clear(func(s socket) { s.conn.Close() })
	defer c.drop()
	// The pool begins with a connection for each client, as after a burst.
	for ok := c.dial(); c.goOn(); ok = c.borrow(p, take) {
		if ok && c.conn != nil && c.exchange(s.handler.draw(), "") && c.conn != nil {
			p.Put(c.socket)
			c.socket = socket{}
		}
		if !c.started || !c.pause(s.think.draw()) {
			return
		}
	}
}

// borrow gets a connection, and reports false if there is none to have.
func (c *client) borrow(p *pool.Pool[socket], take func(*pool.Pool[socket]) socket) bool {
	for {
		if c.socket = take(p); c.conn == nil {
			return c.dial()
		}
		if c.usable() {
			return true
		}
	}
}
