// Package holders has the clients of servers that are stopped: many connections
// at a time, and a close look at how each of them ends.
package holders

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// dialers is how many connections are being opened at a time.
	dialers = 64

	// patience bounds every wait for a server.
	patience = 30 * time.Second
)

const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

// Idle are connections that have been answered once and are then held, unused,
// until the server closes them; then the client closes at once.
type Idle struct {
	conns []net.Conn
	done  sync.WaitGroup

	closed, reset atomic.Int64
	mu            sync.Mutex
	first         error // of the resets
}

// Hold opens n connections.
func Hold(ctx context.Context, addr string, n int) (*Idle, error) {
	h := &Idle{conns: make([]net.Conn, n)}
	err := parallel(n, func(i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		c, err := dial(ctx, addr)
		if err != nil {
			return err
		}
		h.conns[i] = c
		return once(c)
	})
	if err != nil {
		for _, c := range h.conns {
			if c != nil {
				c.Close()
			}
		}
		return nil, fmt.Errorf("%d idle connections: %w", n, err)
	}
	for _, c := range h.conns {
		h.done.Go(func() { h.wait(c) })
	}
	return h, nil
}

// once sends a request and reads its response, without a buffer that would stay
// with the connection.
func once(c net.Conn) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 512), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || string(body) != "Hello, World!" {
		return fmt.Errorf("the server answered %s: %q", resp.Status, body)
	}
	return c.SetDeadline(time.Time{})
}

func (h *Idle) wait(c net.Conn) {
	var one [1]byte
	n, err := c.Read(one[:])
	c.Close()
	if n == 0 && errors.Is(err, io.EOF) {
		h.closed.Add(1)
		return
	}
	if err == nil {
		err = errors.New("bytes that nobody asked for")
	}
	h.reset.Add(1)
	h.mu.Lock()
	if h.first == nil {
		h.first = err
	}
	h.mu.Unlock()
}

// End waits until all connections have ended, and returns how many of them not
// by the server's FIN, and an example. Call it after the server's stop.
func (h *Idle) End() (lost int, example error, err error) {
	all := make(chan struct{})
	go func() { h.done.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(patience):
		h.Abandon()
		<-all
		err = fmt.Errorf("connections are still open %v after the stop", patience)
	}
	return int(h.reset.Load()), h.first, err
}

// Abandon closes all connections.
func (h *Idle) Abandon() {
	for _, c := range h.conns {
		c.Close()
	}
}

func dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: patience, KeepAlive: -1}
	return d.DialContext(ctx, "tcp4", addr)
}

// parallel calls f for 0 to n-1, several at a time, and joins a few errors.
func parallel(n int, f func(i int) error) error {
	var next atomic.Int64
	errs := make([]error, dialers)
	var wg sync.WaitGroup
	for d := range dialers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || errs[d] != nil {
					return
				}
				errs[d] = f(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return errors.New(strings.TrimSpace(err.Error()))
		}
	}
	return nil
}
