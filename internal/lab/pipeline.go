package lab

import "time"

// batch is how many requests a pipelining client writes at once.
const batch = 8

// pipeline writes a batch of requests in one write and then reads as many
// responses, or fewer if one of them says `close`. Requests of the batch behind
// such a response, and behind the end of the connection, are lost.
func (c *client) pipeline(s *scenario) {
	defer c.drop()
	for c.goOn() {
		if !c.usable() && !c.dial() {
			return
		}
		if c.conn == nil {
			continue
		}
		c.exchangeBatch(s)
		if !c.pause(s.think.draw()) {
			return
		}
	}
}

func (c *client) exchangeBatch(s *scenario) {
	first := c.requests
	c.buf = c.buf[:0]
	for i := range batch {
		c.buf = c.appendRequest(c.buf, first+i, s.handler.draw(), "")
	}
	c.requests += batch
	c.conn.SetDeadline(time.Now().Add(patience))
	if _, err := c.conn.Write(c.buf); err != nil {
		c.lose("writing a batch", err, batch)
		return
	}
	for i := range batch {
		closing, err := c.receive(first + i)
		if err != nil {
			c.lose("waiting for the responses of a batch", err, batch-i)
			return
		}
		if closing {
			if left := batch - i - 1; left > 0 {
				c.lose("in a batch", errCloseTooEarly, left)
			}
			c.drop()
			break
		}
	}
	c.underWay()
}
