package lab

import (
	"errors"
	"time"
)

var errCloseTooEarly = errors.New("`close` before the last response")

// greedyPace is the time between two requests of a client that goes on sending
// after a response has said `close`.
const greedyPace = time.Millisecond

// greedy sends as keepalive does, without thinking, until a response says
// `close`. It ignores that, and goes on sending on the same connection until an
// error ends it. What it sends from then on is not lost, as it was told.
func (c *client) greedy(s *scenario) {
	defer c.drop()
	for c.goOn() {
		if !c.usable() && !c.dial() {
			return
		}
		if c.conn == nil {
			continue
		}
		n, err := c.send(s.handler.draw(), "")
		if err != nil {
			c.lose("writing a request", err, 1)
			continue
		}
		closing, err := c.receive(n)
		if err != nil {
			c.lose("waiting for a response", err, 1)
			continue
		}
		c.underWay()
		if closing {
			c.insist(s)
			return
		}
	}
}

// insist sends on a connection that the server has declared closed, without
// waiting for answers, until that fails. Answers are counted all the same: a
// server that executes what it said it would not is not to look worse for it.
func (c *client) insist(s *scenario) {
	first := c.requests
	c.conn.SetDeadline(time.Time{})
	read := make(chan struct{})
	go func() {
		defer close(read)
		for n := first; ; n++ {
			if _, err := c.receive(n); err != nil {
				return
			}
		}
	}()
	var buf []byte
	for {
		buf = c.appendRequest(buf[:0], c.requests, s.handler.draw(), "")
		c.conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err := c.conn.Write(buf); err != nil {
			break
		}
		c.requests++
		if !c.pause(greedyPace) {
			break
		}
	}
	c.conn.SetReadDeadline(time.Now()) // what has arrived by now has arrived
	<-read
}
