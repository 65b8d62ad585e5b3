package main

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

// wrap puts a wrapper round a connection.
func wrap(name string, c net.Conn) net.Conn {
	switch name {
	case "counting":
		return &counting{Conn: c}
	case "deadline":
		return timed{c}
	case "header", "addr":
		return &headed{Conn: c, br: bufio.NewReader(c), known: make(chan struct{}), blocks: name == "addr"}
	case "slow-close":
		return &slowCloser{Conn: c}
	case "value":
		return value{c, 1}
	case "nil":
		return decorated{inner: c}
	case "buffered":
		return &buffered{c, bufio.NewReader(c)}
	case "ignoring":
		return ignoring{c}
	case "hidden":
		return hidden{c}
	case "one-byte":
		return &oneByte{c}
	}
	panic("no such wrapper of a connection: " + name)
}

// counting is the most usual wrapper.
type counting struct {
	net.Conn
	in, out atomic.Int64
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.in.Add(int64(n))
	return n, err
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.out.Add(int64(n))
	return n, err
}

// timed gives each Read a deadline of its own.
type timed struct{ net.Conn }

func (c timed) Read(b []byte) (int, error) {
	if err := c.Conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

var errHeader = errors.New("there is no header")

// headed reads a line before all else, in the first Read: a Read that failed in it
// cannot go on. Its address is in that line; with blocks RemoteAddr waits for it.
type headed struct {
	net.Conn
	br     *bufio.Reader
	once   sync.Once
	err    error
	known  chan struct{}
	blocks bool
}

func (c *headed) header() {
	c.once.Do(func() {
		defer close(c.known)
		line, err := c.br.ReadString('\n')
		if c.err = err; err == nil && !strings.HasPrefix(line, "PROXY ") {
			c.err = errHeader
		}
	})
}

func (c *headed) Read(b []byte) (int, error) {
	c.header()
	if c.err != nil {
		return 0, c.err
	}
	return c.br.Read(b)
}

func (c *headed) RemoteAddr() net.Addr {
	if c.blocks {
		c.header()
	}
	return c.Conn.RemoteAddr()
}

// slowCloser blocks in Close for a time.
type slowCloser struct{ net.Conn }

func (c *slowCloser) Close() error {
	time.Sleep(draw.Blocking)
	return c.Conn.Close()
}

// value is no pointer.
type value struct {
	net.Conn
	N int
}

// decoration is what decorated may have, and has not.
type decoration struct{ net.Conn }

// decorated exports a Conn that is behind a nil pointer.
type decorated struct {
	*decoration
	inner net.Conn
}

func (c decorated) Read(b []byte) (int, error)         { return c.inner.Read(b) }
func (c decorated) Write(b []byte) (int, error)        { return c.inner.Write(b) }
func (c decorated) Close() error                       { return c.inner.Close() }
func (c decorated) LocalAddr() net.Addr                { return c.inner.LocalAddr() }
func (c decorated) RemoteAddr() net.Addr               { return c.inner.RemoteAddr() }
func (c decorated) SetDeadline(t time.Time) error      { return c.inner.SetDeadline(t) }
func (c decorated) SetReadDeadline(t time.Time) error  { return c.inner.SetReadDeadline(t) }
func (c decorated) SetWriteDeadline(t time.Time) error { return c.inner.SetWriteDeadline(t) }

// buffered reads ahead.
type buffered struct {
	net.Conn
	br *bufio.Reader
}

func (c *buffered) Read(b []byte) (int, error) { return c.br.Read(b) }

// ignoring knows no deadlines.
type ignoring struct{ net.Conn }

func (ignoring) SetDeadline(time.Time) error     { return nil }
func (ignoring) SetReadDeadline(time.Time) error { return nil }

// hidden exports nothing.
type hidden struct{ inner net.Conn }

func (c hidden) Read(b []byte) (int, error)         { return c.inner.Read(b) }
func (c hidden) Write(b []byte) (int, error)        { return c.inner.Write(b) }
func (c hidden) Close() error                       { return c.inner.Close() }
func (c hidden) LocalAddr() net.Addr                { return c.inner.LocalAddr() }
func (c hidden) RemoteAddr() net.Addr               { return c.inner.RemoteAddr() }
func (c hidden) SetDeadline(t time.Time) error      { return c.inner.SetDeadline(t) }
func (c hidden) SetReadDeadline(t time.Time) error  { return c.inner.SetReadDeadline(t) }
func (c hidden) SetWriteDeadline(t time.Time) error { return c.inner.SetWriteDeadline(t) }

// oneByte reads a byte at a time.
type oneByte struct{ net.Conn }

func (c *oneByte) Read(b []byte) (int, error) { return c.Conn.Read(b[:min(1, len(b))]) }
