package hot

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
)

// single is one client that waits for its responses before it sends its next
// batch, and connects anew when its connection has carried its share.
//
// Only one connection is open at a time, and only its goroutine changes the
// fields, so there is nothing to lock.
type single struct {
	conn     conn
	accepts  chan<- net.Conn
	requests string // a whole batch
	size     int    // of one request
	batch    int
	perConn  int // 0: any number

	response int // bytes of one; 0 until the first has come
	left     int // requests not yet sent
	share    int // of them those of this connection
	owed     int // bytes of responses still to come
	err      error
	done     chan error
}

func newSingle(w *Workload, ln *listener) *single {
	batch := max(w.batch, 1)
	c := &single{
		accepts:  ln.accepts,
		requests: strings.Repeat(w.request, batch),
		size:     len(w.request),
		batch:    batch,
		perConn:  w.perConn,
		done:     make(chan error, 1),
	}
	c.conn.peer = c
	return c
}

// run sends n requests and returns when all are answered and the connection is
// closed.
func (c *single) run(n int) error {
	c.left, c.owed = n, n*c.response
	c.connect()
	return <-c.done
}

func (c *single) close() {}

func (c *single) connect() {
	c.share = c.left
	if c.perConn > 0 {
		c.share = min(c.perConn, c.left)
	}
	c.left -= c.share
	c.accepts <- &c.conn
}

func (c *single) more() (string, error) {
	n := min(c.share, c.batch)
	if n == 0 {
		return "", io.EOF
	}
	c.share -= n
	return c.requests[:n*c.size], nil
}

var okLine = []byte("HTTP/1.1 200 OK\r\n")

func (c *single) received(p []byte) {
	if c.response == 0 {
		c.response = len(p)
		c.owed = len(p)
		if !bytes.HasPrefix(p, okLine) {
			c.err = fmt.Errorf("the server answered %.200q", p)
		}
	}
	c.owed -= len(p)
}

func (c *single) closed() {
	switch {
	case c.err != nil:
		c.done <- c.err
	case c.left > 0 && c.share == 0:
		c.connect()
	case c.left+c.share+c.owed != 0:
		c.done <- fmt.Errorf("the connection was closed with %d requests unread and %d bytes of responses missing", c.left+c.share, c.owed)
	default:
		c.done <- nil
	}
}
