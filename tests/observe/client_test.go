package observe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// bound is how long anything in these tests may take before it counts as hung.
const bound = 60 * time.Second

// client is a keep-alive client with one connection. It counts in ledger.
type client struct {
	conn   net.Conn
	br     *bufio.Reader
	ledger *ledger
}

// ledger is the clients' own account of a server.
type ledger struct {
	connections atomic.Int64 // dialled
	answers     atomic.Int64
	closing     atomic.Int64 // answers that said close
	left        atomic.Int64 // connections closed by the client, unasked
}

func dial(t *testing.T, addr string, l *ledger) *client {
	t.Helper()
	conn, err := net.DialTimeout("tcp4", addr, bound)
	if err != nil {
		t.Fatalf("connecting to %s: %v", addr, err)
	}
	t.Cleanup(func() { conn.Close() })
	l.connections.Add(1)
	return &client{conn, bufio.NewReader(conn), l}
}

func (c *client) send(path string) error {
	c.conn.SetDeadline(time.Now().Add(bound))
	_, err := fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", path)
	return err
}

// receive reads an answer. When it says close, receive reads on to the server's
// FIN and closes.
func (c *client) receive() (closing bool, err error) {
	resp, err := http.ReadResponse(c.br, nil)
	if err != nil {
		return false, err
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return false, err
	}
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("status %s", resp.Status)
	}
	c.ledger.answers.Add(1)
	if !resp.Close {
		return false, nil
	}
	c.ledger.closing.Add(1)
	return true, c.awaitFIN()
}

// awaitFIN reads the end of the connection and closes.
func (c *client) awaitFIN() error {
	switch _, err := c.br.ReadByte(); {
	case err == nil:
		return errors.New("bytes after the last response")
	case err != io.EOF:
		return fmt.Errorf("instead of FIN: %w", err)
	}
	return c.conn.Close()
}

// get sends a request and checks whether its answer says close.
func (c *client) get(t *testing.T, path string, wantClose bool) {
	t.Helper()
	closing, err := false, c.send(path)
	if err == nil {
		closing, err = c.receive()
	}
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	if closing != wantClose {
		t.Fatalf("GET %s: the answer says close: %v; want %v", path, closing, wantClose)
	}
}

// leave closes the connection from the client's side.
func (c *client) leave() {
	c.ledger.left.Add(1)
	c.conn.Close()
}

// load is a number of clients in a closed loop, each until an answer says close.
// All of them are parked between two exchanges while park is held.
type load struct {
	park     sync.RWMutex
	clients  sync.WaitGroup
	requests atomic.Int64
	failed   chan error
}

func startLoad(t *testing.T, addr string, n int, l *ledger) *load {
	t.Helper()
	ld := &load{failed: make(chan error, n)}
	for range n {
		c := dial(t, addr, l)
		ld.clients.Go(func() {
			for {
				ld.park.RLock()
				closing, err := false, c.send("/")
				if err == nil {
					closing, err = c.receive()
				}
				ld.park.RUnlock()
				ld.requests.Add(1)
				if err != nil {
					ld.failed <- err
					return
				}
				if closing {
					return
				}
			}
		})
	}
	return ld
}

// await waits until done is true, and reports what was not reached.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(bound); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", bound, what)
		}
	}
}
