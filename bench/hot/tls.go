package hot

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"

	"github.com/fastdrain/fastdrain/bench/internal/certificate"
)

// secure is one client over TLS: this one has to be a goroutine of its own, at
// the other end of a pipe.
type secure struct {
	conn     *tls.Conn
	reader   *bufio.Reader
	request  []byte
	response []byte // room for one; its length is known from the first
}

func newSecure(w *Workload, ln *listener) (*secure, error) {
	pair, err := certificate.TLS()
	if err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	ln.accepts <- tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{pair}})
	// The certificate was made this moment, and the peer is this process.
	c := &secure{conn: tls.Client(ours, &tls.Config{InsecureSkipVerify: true}), request: []byte(w.request)} //nolint:gosec
	c.reader = bufio.NewReader(c.conn)
	if err := c.conn.Handshake(); err != nil {
		return nil, err
	}
	return c, c.first()
}

// first learns how long a response is.
func (c *secure) first() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	b, err := c.reader.Peek(1)
	if err != nil {
		return err
	}
	b, err = c.reader.Peek(c.reader.Buffered())
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(b, okLine) || !bytes.HasSuffix(b, plaintext) {
		return fmt.Errorf("the server answered %.200q", b)
	}
	c.response = make([]byte, len(b))
	_, err = c.reader.Discard(len(b))
	return err
}

func (c *secure) run(n int) error {
	for range n {
		if _, err := c.conn.Write(c.request); err != nil {
			return err
		}
		if _, err := io.ReadFull(c.reader, c.response); err != nil {
			return err
		}
	}
	if !bytes.HasPrefix(c.response, okLine) {
		return fmt.Errorf("the server answered %.200q", c.response)
	}
	return nil
}

func (c *secure) close() { c.conn.Close() }
