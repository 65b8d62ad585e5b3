package acceptqueue

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// slow is a connection attempt whose SYN was not answered: TCP tries again after
// a second (RFC 6298 section 2.1).
const slow = 900 * time.Millisecond

// bound is for what must happen: only a hang takes longer.
const bound = 30 * time.Second

// tally is what the clients of one or more stops have seen.
type tally struct {
	answered atomic.Int64

	mu sync.Mutex

	// lost connections were established, from the client's side, and had no
	// answer; lostBy are their errors. refused ones were not established.
	lost, refused int
	lostBy        map[string]int

	// waited are the attempts that took longer than slow, however they ended.
	waited  int
	longest time.Duration
}

func (c *tally) lose(where string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost++
	if c.lostBy == nil {
		c.lostBy = map[string]int{}
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = errno
	}
	c.lostBy[where+": "+err.Error()]++
}

// add adds what the clients of a stop have seen.
func (c *tally) add(one *tally) {
	c.answered.Add(one.answered.Load())
	c.lost += one.lost
	c.refused += one.refused
	c.waited += one.waited
	c.longest = max(c.longest, one.longest)
	for how, n := range one.lostBy {
		if c.lostBy == nil {
			c.lostBy = map[string]int{}
		}
		c.lostBy[how] += n
	}
}

// more waits for n more answers.
func (c *tally) more(t *testing.T, ctx context.Context, n int64) {
	t.Helper()
	for end := c.answered.Load() + n; c.answered.Load() < end; time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("the clients hang: %v", c)
		}
	}
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := fmt.Sprintf("%d answered, %d lost, %d refused, %d attempts waited, the longest %v",
		c.answered.Load(), c.lost, c.refused, c.waited, c.longest.Round(time.Millisecond))
	if c.lost > 0 {
		s += fmt.Sprintf(" %v", c.lostBy)
	}
	return s
}

// clients are in a closed loop, with a connection for each request.
type clients struct {
	addr    string
	tally   *tally
	ctx     context.Context
	running sync.WaitGroup

	// untilRefused ends a client that is refused: the server has gone for good.
	untilRefused bool
}

// start starts n clients; do runs each of them, in its namespace.
func (c *clients) start(t *testing.T, n int, do func(func() error) error) {
	for range n {
		c.running.Go(func() {
			err := do(func() error {
				for c.ctx.Err() == nil && c.request() {
				}
				return nil
			})
			if err != nil {
				t.Errorf("a client: %v", err)
			}
		})
	}
}

// request makes one, and says whether to go on.
func (c *clients) request() bool {
	d := net.Dialer{Timeout: bound}
	began := time.Now()
	conn, err := d.DialContext(c.ctx, "tcp", c.addr)
	if took := time.Since(began); took > slow {
		c.tally.mu.Lock()
		c.tally.waited++
		c.tally.longest = max(c.tally.longest, took)
		c.tally.mu.Unlock()
	}
	switch {
	case err == nil:
	case c.ctx.Err() != nil:
		return false
	case errors.Is(err, syscall.ECONNREFUSED):
		c.tally.mu.Lock()
		c.tally.refused++
		c.tally.mu.Unlock()
		return !c.untilRefused
	default:
		// A reset of an established connection that comes before the system
		// call has returned is one.
		c.tally.lose("connect", err)
		return true
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(bound))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
		c.tally.lose("write", err)
		return true
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil {
		_, err = io.Copy(io.Discard, res.Body)
	}
	if err != nil {
		c.tally.lose("read", err)
		return true
	}
	c.tally.answered.Add(1)
	return true
}
