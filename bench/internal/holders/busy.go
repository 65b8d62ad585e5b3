package holders

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// maxThink is the longest that a busy client waits before its next request.
const maxThink = 20 * time.Millisecond

// Busy are connections in a closed loop: a request, its response, a moment of
// thought, the next request. A client looks for a FIN before each reuse, as
// pools do, and ends when it sees one, or 'Connection: close'.
type Busy struct {
	done     sync.WaitGroup
	stop     context.CancelFunc
	answered atomic.Int64
	lost     atomic.Int64
	mu       sync.Mutex
	first    error
}

// Work opens n connections, has each answered once, and lets them go on.
func Work(ctx context.Context, addr string, n int) (*Busy, error) {
	ctx, stop := context.WithCancel(ctx)
	b := &Busy{stop: stop}
	conns := make([]net.Conn, n)
	err := parallel(n, func(i int) error {
		c, err := dial(ctx, addr)
		if err != nil {
			return err
		}
		conns[i] = c
		return once(c)
	})
	if err != nil {
		stop()
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
		return nil, fmt.Errorf("%d busy connections: %w", n, err)
	}
	for _, c := range conns {
		b.done.Go(func() { b.loop(ctx, c) })
	}
	return b, nil
}

func (b *Busy) loop(ctx context.Context, c net.Conn) {
	defer c.Close()
	in := bufio.NewReaderSize(c, 512)
	think := time.NewTimer(0)
	<-think.C
	for {
		think.Reset(rand.N(maxThink)) //nolint:gosec
		select {
		case <-think.C:
		case <-ctx.Done():
			return
		}
		if finished(c) {
			return
		}
		last, err := exchange(c, in)
		if err != nil {
			b.lost.Add(1)
			b.mu.Lock()
			if b.first == nil {
				b.first = err
			}
			b.mu.Unlock()
			return
		}
		b.answered.Add(1)
		if last {
			return
		}
	}
}

// exchange sends a request and reads its response. last says that the response
// is the connection's last.
func exchange(c net.Conn, in *bufio.Reader) (last bool, err error) {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return false, err
	}
	if _, err := io.WriteString(c, request); err != nil {
		return false, err
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return false, err
	}
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("the server answered %s", resp.Status)
	}
	return resp.Close, nil
}

// Answered is the number of requests that were answered so far.
func (b *Busy) Answered() int { return int(b.answered.Load()) }

// End waits until all connections have ended, and returns how many requests were
// written and not answered, and an example. Call it after the server's stop.
func (b *Busy) End() (lost int, example error, err error) {
	all := make(chan struct{})
	go func() { b.done.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(patience):
		err = fmt.Errorf("clients are still working %v after the stop", patience)
		b.stop()
		<-all
	}
	b.stop()
	return int(b.lost.Load()), b.first, err
}

// Abandon has all clients end after their current request.
func (b *Busy) Abandon() { b.stop() }
