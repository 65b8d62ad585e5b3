package hot

import (
	"bytes"
	"fmt"
	"io"
	"net"
)

// many are clients of whom a few have a request under way at a time, in turn, so
// that the server's goroutines sleep and wake as they do with many connections.
type many struct {
	clients  []*oneOfMany
	next     int
	answered chan error // one for each response
	gone     chan struct{}
}

type oneOfMany struct {
	conn    conn
	all     *many
	request string
	turn    chan struct{} // a token for each request; closed at the end
}

func newMany(w *Workload, ln *listener) *many {
	m := &many{answered: make(chan error, inFlight), gone: make(chan struct{}, w.conns)}
	for range w.conns {
		c := &oneOfMany{all: m, request: w.request, turn: make(chan struct{}, 1)}
		c.conn.peer = c
		m.clients = append(m.clients, c)
		ln.accepts <- net.Conn(&c.conn)
	}
	return m
}

// run sends n requests and returns when all are answered.
func (m *many) run(n int) error {
	for sent, answered := 0, 0; answered < n; {
		if sent < n && sent-answered < inFlight {
			m.clients[m.next].turn <- struct{}{}
			m.next = (m.next + 1) % len(m.clients)
			sent++
			continue
		}
		if err := <-m.answered; err != nil {
			return err
		}
		answered++
	}
	return nil
}

// close has all clients hang up, and waits until the server has closed.
func (m *many) close() {
	for _, c := range m.clients {
		close(c.turn)
	}
	for range m.clients {
		<-m.gone
	}
}

func (c *oneOfMany) more() (string, error) {
	if _, ok := <-c.turn; !ok {
		return "", io.EOF
	}
	return c.request, nil
}

func (c *oneOfMany) received(p []byte) {
	var err error
	if !bytes.HasPrefix(p, okLine) || !bytes.HasSuffix(p, plaintext) {
		err = fmt.Errorf("the server answered %.200q", p)
	}
	c.all.answered <- err
}

func (c *oneOfMany) closed() { c.all.gone <- struct{}{} }
