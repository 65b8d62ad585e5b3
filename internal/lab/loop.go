package lab

// keepalive uses one connection again and again, and looks for FIN before each
// use. It is the client of the scenarios with pooled connections: what differs
// is the think time.
func (c *client) keepalive(s *scenario) {
	defer c.drop()
	c.reuse(s, c.usable)
}

// deaf is keepalive without the look for FIN: what many simple clients do. A
// connection that is left at the end would have been used again, with what comes of
// that, so it is.
func (c *client) deaf(s *scenario) {
	defer c.drop()
	c.reuse(s, func() bool { return c.conn != nil })
	if c.conn != nil {
		c.exchange(0, "")
	}
}

// oneOfTen clients use their connection again and again. The others hold theirs.
func (c *client) oneOfTen(s *scenario) {
	if c.id%10 == 0 {
		c.keepalive(s)
	} else {
		c.hold(s)
	}
}

// reuse sends one request after the other, on the same connection while it is
// usable, and leaves that open.
func (c *client) reuse(s *scenario, usable func() bool) {
	// Spread the beginning, so that the connections are not used in step.
	if !c.pause(span{0, s.stagger}.draw()) {
		return
	}
	for c.goOn() {
		if !usable() && !c.dial() {
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
