package fasthttp

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// scriptedConn is a connection that sends the same request a number of times and
// throws the responses away. It allocates nothing.
type scriptedConn struct {
	request []byte
	left    int // requests
	at      int
}

func (c *scriptedConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.request[c.at:])
	if c.at += n; c.at == len(c.request) {
		c.at = 0
		c.left--
	}
	return n, nil
}

func (c *scriptedConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c *scriptedConn) Close() error                     { return nil }
func (c *scriptedConn) LocalAddr() net.Addr              { return scriptedAddr }
func (c *scriptedConn) RemoteAddr() net.Addr             { return scriptedAddr }
func (c *scriptedConn) SetDeadline(time.Time) error      { return nil }
func (c *scriptedConn) SetReadDeadline(time.Time) error  { return nil }
func (c *scriptedConn) SetWriteDeadline(time.Time) error { return nil }

var scriptedAddr net.Addr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

// oddReads are a connection whose Read returns what it should not, or may and seldom
// does, where the first byte of a request is awaited.
type oddReads struct {
	scriptedConn
	nothing int // so many times, before each byte
	withEOF bool
	empty   int
	written strings.Builder
}

func (c *oddReads) Read(p []byte) (int, error) {
	if len(p) != 1 { // the rest of a request
		return c.scriptedConn.Read(p)
	}
	if c.empty++; c.empty <= c.nothing {
		return 0, nil
	}
	c.empty = 0
	n, err := c.scriptedConn.Read(p)
	if c.withEOF && err == nil {
		err = io.EOF
	}
	return n, err
}

func (c *oddReads) Write(p []byte) (int, error) { return c.written.Write(p) }

// With ReduceMemoryUsage upstream panics at a Read of nothing without an error, and
// drops a byte that comes with one.
func TestOddReadsOfTheFirstByte(t *testing.T) {
	for _, test := range []struct {
		name     string
		conn     oddReads
		answered int
	}{
		{"nothing twice", oddReads{nothing: 2}, 2},
		{"nothing for ever", oddReads{nothing: 1 << 20}, 0},
		{"with the end", oddReads{withEOF: true}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{Handler: func(*RequestCtx) {}, ReduceMemoryUsage: true, Logger: silentDrainLog{}}
			c := &test.conn
			c.request, c.left = []byte(drainGet("/")), 2
			if err := s.ServeConn(c); err != nil {
				t.Error(err)
			}
			if n := strings.Count(c.written.String(), "HTTP/1.1 200 OK\r\n"); n != test.answered {
				t.Errorf("%d requests are answered, want %d", n, test.answered)
			}
		})
	}
}
