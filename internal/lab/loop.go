package lab

import "time"

// keepalive uses one connection again and again, and looks for FIN before each
// use. It is the client of the scenarios with pooled connections: what differs
// is the think time.
func (c *client) keepalive(s *scenario) {
	defer c.drop()
	// Spread the beginning, so that the connections are not used in step.
	if !c.pause(span{0, min(s.think.max, 300*time.Millisecond)}.draw()) {
		return
	}
	for c.goOn() {
		if !c.usable() && !c.dial() {
			return
		}
		if c.conn == nil { // cut between connect and use, and counted
			continue
		}
		c.exchange(s.handler.draw(), "")
		if !c.pause(s.think.draw()) {
			return
		}
	}
}

// connect opens a new connection for each request and says so.
func (c *client) connect(s *scenario) {
	defer c.drop()
	for c.goOn() {
		if !c.dial() {
			return
		}
		if c.conn == nil {
			continue
		}
		c.exchange(s.handler.draw(), "Connection: close\r\n")
		c.drop()
	}
}
