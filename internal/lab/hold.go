package lab

import (
	"io"
	"time"
)

// slow has one request with a long handler under way when the stop comes, and
// keeps the connection afterwards until the server closes it.
func (c *client) slow(s *scenario) {
	defer c.drop()
	if !c.dial() || c.conn == nil {
		return
	}
	n, err := c.send(s.handler.draw(), "")
	if err != nil {
		c.lose("writing a request", err, 1)
		return
	}
	c.underWay()
	closing, err := c.receive(n)
	if err != nil {
		c.lose("waiting for a response", err, 1)
		return
	}
	if !closing {
		c.awaitFIN()
	}
}

// hold makes one request and keeps the idle connection until the server closes
// it; then it closes at once.
func (c *client) hold(s *scenario) {
	defer c.drop()
	if !c.dial() || c.conn == nil {
		return
	}
	if c.exchange(s.handler.draw(), "") && c.conn != nil {
		c.awaitFIN()
	}
}

// awaitFIN waits on an idle connection until the server has closed it.
func (c *client) awaitFIN() {
	c.conn.SetReadDeadline(time.Time{})
	switch _, err := c.br.ReadByte(); {
	case err == nil:
		c.problems.count("bytes from the server that no request asked for", 1)
	case err == io.EOF:
	case symptom(err) == "connection reset":
		c.problems.count("an idle connection was reset", 1)
	default:
		c.problems.count("waiting for FIN: "+symptom(err), 1)
	}
}
