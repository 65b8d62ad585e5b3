package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// connection is a raw connection to the server. Its zero value is none.
type connection struct {
	net.Conn
	raw    syscall.RawConn
	br     *bufio.Reader
	ending *ending
	used   int // complete responses on it
	dialed time.Time
}

// ending remembers how the reading of a connection ended: who reads HTTP from it may
// make of that an error about a line that is not complete, or malformed.
type ending struct {
	net.Conn
	err error
}

func (e *ending) Read(b []byte) (int, error) {
	n, err := e.Conn.Read(b)
	e.err = err
	return n, err
}

func (c *connection) open() bool { return c.Conn != nil }

func (c *connection) drop() {
	if c.Conn != nil {
		c.Close()
		c.Conn = nil
	}
}

// dial opens a connection. Established says that it was, if there is an error all the same.
func dial(ctx context.Context, t *target, timeout time.Duration) (c connection, established bool, err error) {
	d := net.Dialer{Timeout: timeout, KeepAlive: -1}
	conn, err := d.DialContext(ctx, "tcp", t.addr)
	if err != nil {
		return c, false, err
	}
	c.raw, err = conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		conn.Close()
		return c, false, err
	}
	c.Conn = conn
	if t.tls != nil {
		secure := tls.Client(conn, t.tls)
		conn.SetDeadline(time.Now().Add(timeout))
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return connection{}, true, err
		}
		c.Conn = secure
	}
	c.ending = &ending{Conn: c.Conn}
	c.br = bufio.NewReaderSize(c.ending, 4<<10)
	return c, true, nil
}

// glance is how long a look at a TLS connection waits for the rest of a record.
const glance = 2 * time.Millisecond

// look shows what the server has sent since the last response: directly before the
// connection is used again it has to be nothing.
func (c *connection) look() (Received, error) {
	if c.br.Buffered() > 0 {
		return Data, nil
	}
	got, err := Look(c.raw)
	if _, secure := c.Conn.(*tls.Conn); err != nil || got != Data || !secure {
		return got, err
	}
	// A session ticket is no answer, and a close_notify is an end.
	c.SetReadDeadline(time.Now().Add(glance))
	_, err = c.br.Peek(1)
	switch {
	case err == nil:
		return Data, nil
	case symptom(err, false) == Timeout:
		return Nothing, nil
	default:
		return End, nil
	}
}

// reply is a complete response.
type reply struct {
	status  int
	closing bool // it said `Connection: close`, or is HTTP/1.0
	matches bool // it holds the text that is expected
	header  http.Header
}

// expectAtMost is how much of a body is searched for the text that is expected.
const expectAtMost = 1 << 20

var errNoHTTP = errors.New("it does not begin with HTTP/")

// receive reads a response. Begun says that its first byte has arrived.
func (c *connection) receive(q *http.Request, expect string) (r reply, begun bool, err error) {
	first, err := c.br.Peek(1)
	if err != nil {
		return r, false, err
	}
	if first[0] != 'H' {
		return r, true, errNoHTTP
	}
	defer func() {
		if err != nil && c.ending.err != nil {
			err = c.ending.err // and not what half a line looks like
		}
	}()
	var resp *http.Response
	for {
		if resp, err = http.ReadResponse(c.br, q); err != nil {
			return r, true, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			break // not one of the informational ones, after which the response comes
		}
	}
	r = reply{status: resp.StatusCode, closing: resp.Close, matches: true, header: resp.Header}
	if expect != "" {
		text, err := io.ReadAll(io.LimitReader(resp.Body, expectAtMost))
		if err != nil {
			return r, true, err
		}
		r.matches = strings.Contains(string(text), expect)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return r, true, err
	}
	return r, true, nil
}
