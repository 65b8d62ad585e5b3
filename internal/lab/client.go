package lab

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/internal/pool"
	"github.com/fastdrain/fastdrain/internal/probe"
)

// patience bounds each wait of a client for the server. It is far above what
// any scenario needs: reaching it is counted as a loss.
const patience = 20 * time.Second

// yard is what the clients of one round share.
type yard struct {
	addr     string
	dial     func(d *net.Dialer, network, addr string) (net.Conn, error)
	over     context.Context // ends when the server has exited
	stopping chan struct{}   // closed directly before SIGTERM

	waiting  atomic.Int64  // clients that are not under way yet
	underWay chan struct{} // closed when the last of them is

	pools []pool.Pool[socket] // of the scenarios with pools, poolSize clients each
}

func newYard(over context.Context, addr string, clients int) *yard {
	y := &yard{
		addr: addr, dial: (*net.Dialer).Dial, over: over,
		stopping: make(chan struct{}), underWay: make(chan struct{}),
		pools: make([]pool.Pool[socket], (clients+poolSize-1)/poolSize),
	}
	y.waiting.Store(int64(clients))
	return y
}

// stopped reports whether the stop has begun.
func (y *yard) stopped() bool {
	select {
	case <-y.stopping:
		return true
	default:
		return false
	}
}

// client is one HTTP/1.1 client with at most one connection. It is written for
// the lab and not built on http.Client, whose own retries would hide losses.
type client struct {
	tally
	yard    *yard
	id      int
	tls     *tls.Config // nil for plain TCP
	started bool

	socket
	buf []byte
}

// socket is a connection and what belongs to it. Its zero value is none.
type socket struct {
	conn net.Conn
	raw  syscall.RawConn
	br   *bufio.Reader
}

// goOn reports whether the round still goes on.
func (c *client) goOn() bool { return c.yard.over.Err() == nil }

// pause waits for d, and reports false if the round was over before.
func (c *client) pause(d time.Duration) bool {
	if d <= 0 {
		return c.goOn()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.yard.over.Done():
		return false
	}
}

// underWay tells the round, once, that this client is at work.
func (c *client) underWay() {
	if c.started {
		return
	}
	c.started = true
	if c.yard.waiting.Add(-1) == 0 {
		close(c.yard.underWay)
	}
}

// dial opens the connection. It reports false when the client is at its end:
// the connection was refused, or something is wrong with the lab. A connection
// that was established and then cut before it could be used counts as a lost
// request, as one was about to be written; then the client may try again.
func (c *client) dial() bool {
	c.drop()
	dialer := net.Dialer{Timeout: patience, KeepAlive: -1}
	conn, err := c.yard.dial(&dialer, "tcp4", c.yard.addr)
	switch {
	case err == nil:
	case errors.Is(err, syscall.ECONNREFUSED):
		c.refused++
		if !c.yard.stopped() {
			c.faults.count("connection refused before the stop", 1)
		}
		return false
	case errors.Is(err, syscall.ECONNRESET):
		// The kernel had completed the handshake, and the reset was faster
		// than the dialer's look at the result.
		c.connections++
		c.requests++
		c.lose("connect", err, 1)
		return c.goOn()
	default:
		c.faults.count("connecting: "+symptom(err), 1)
		return false
	}
	c.connections++
	c.raw, err = conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		conn.Close()
		c.faults.count("connecting: "+err.Error(), 1)
		return false
	}
	if c.tls != nil {
		secure := tls.Client(conn, c.tls)
		conn.SetDeadline(time.Now().Add(patience))
		if err := secure.Handshake(); err != nil {
			conn.Close()
			c.requests++
			c.lose("TLS handshake", err, 1)
			return c.goOn()
		}
		c.conn = secure
	} else {
		c.conn = conn
	}
	if c.br == nil {
		c.br = bufio.NewReaderSize(c.conn, 1<<10)
	} else {
		c.br.Reset(c.conn)
	}
	return true
}

// drop closes the connection, if there is one.
func (c *client) drop() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// usable is the look for FIN directly before a connection is used again: it
// drops the connection and reports false if the server has closed or reset it.
// It looks at the socket of a plain TCP connection.
func (c *client) usable() bool {
	if c.conn == nil {
		return false
	}
	state, err := probe.Look(c.raw)
	if c.br.Buffered() > 0 {
		state = probe.Data
	}
	switch {
	case err != nil:
		c.faults.count("looking at a connection: "+err.Error(), 1)
	case state == probe.Data:
		// A client would take these bytes for the answer to its next request.
		c.problems.count("bytes from the server that no request asked for", 1)
	case state == probe.Nothing:
		return true
	}
	c.drop()
	return false
}

// appendRequest appends request number n of this client. The answer names n, so
// that an answer to another request is not mistaken for this one's.
func (c *client) appendRequest(buf []byte, n int, handler time.Duration, more string) []byte {
	return fmt.Appendf(buf, "GET /?name=c%dr%d&sleep=%s HTTP/1.1\r\nHost: lab\r\n%s\r\n", c.id, n, handler, more)
}

// send writes one request and returns its number.
func (c *client) send(handler time.Duration, more string) (n int, err error) {
	n = c.requests
	c.requests++
	c.buf = c.appendRequest(c.buf[:0], n, handler, more)
	c.conn.SetDeadline(time.Now().Add(patience))
	_, err = c.conn.Write(c.buf)
	return n, err
}

// receive reads the complete response to request n, and reports whether it said
// `Connection: close`.
func (c *client) receive(n int) (closing bool, err error) {
	// ReadResponse would call the end of the connection an unexpected one, be
	// it before the response or in it.
	if _, err := c.br.Peek(1); err != nil {
		return false, err
	}
	resp, err := http.ReadResponse(c.br, nil)
	if err != nil {
		return false, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, err
	}
	c.answered++
	if resp.StatusCode != http.StatusOK {
		c.problems.count(fmt.Sprintf("answered with status %d", resp.StatusCode), 1)
	} else if want := fmt.Sprintf("hello c%dr%d", c.id, n); string(body) != want {
		c.problems.count("answered with the body of another request", 1)
	}
	return resp.Close, nil
}

// lose counts n lost requests and drops the connection.
func (c *client) lose(when string, err error, n int) {
	c.lost += n
	c.losses.count(when+": "+symptom(err), n)
	if !c.yard.stopped() {
		c.faults.count("lost before the stop: "+when+": "+symptom(err), n)
	}
	c.drop()
}

// exchange sends one request and reads its response. The connection is dropped
// if the request is lost or the response says `close`; it reports whether there
// was a response.
func (c *client) exchange(handler time.Duration, more string) bool {
	n, err := c.send(handler, more)
	if err != nil {
		c.lose("writing a request", err, 1)
		return false
	}
	closing, err := c.receive(n)
	if err != nil {
		c.lose("waiting for a response", err, 1)
		return false
	}
	if closing {
		c.drop()
	}
	c.underWay()
	return true
}
