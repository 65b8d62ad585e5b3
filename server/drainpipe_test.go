package fasthttp

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"
)

// memoryWakes says whether a deadline wakes a Read of fasthttputil's in-memory
// connections that waits already: before v1.77.0 it does not. In a bubble, which tells
// that it waits: a deadline set before that wakes it in any version.
func memoryWakes(t *testing.T) bool {
	memoryWake.once.Do(func() {
		synctest.Test(t, func(*testing.T) {
			pc := fasthttputil.NewPipeConns()
			defer pc.Close() // wakes it in any case
			go func() {
				_, err := pc.Conn1().Read(make([]byte, 1))
				memoryWake.wakes = isTimeout(err)
			}()
			synctest.Wait()
			_ = pc.Conn1().SetReadDeadline(time.Now().Add(-time.Second))
			synctest.Wait()
		})
	})
	return memoryWake.wakes
}

var memoryWake struct {
	once  sync.Once
	wakes bool
}

// pipeListener is an in-memory listener of net.Pipe connections, whose deadlines
// wake. The clients' ends have buffers, as a network has.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (l *pipeListener) Dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return newBufferedPipe(client), nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// bufferedPipe is an end of a net.Pipe whose Write does not wait for a Read of the
// other end, nor the other end's for one of its own.
type bufferedPipe struct {
	net.Conn
	out  chan []byte
	in   chan []byte
	done chan struct{}
	once sync.Once

	mu       sync.Mutex
	got      bytes.Buffer
	deadline time.Time
}

func newBufferedPipe(c net.Conn) *bufferedPipe {
	p := &bufferedPipe{Conn: c, out: make(chan []byte, 1<<12), in: make(chan []byte, 1<<12), done: make(chan struct{})}
	go func() {
		for {
			select {
			case b := <-p.out:
				if _, err := c.Write(b); err != nil {
					return
				}
			case <-p.done:
				return
			}
		}
	}()
	go func() {
		defer close(p.in)
		for {
			b := make([]byte, 4<<10)
			n, err := c.Read(b)
			if n > 0 {
				p.in <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	return p
}

func (p *bufferedPipe) Close() error {
	p.once.Do(func() { close(p.done) })
	return p.Conn.Close()
}

func (p *bufferedPipe) Write(b []byte) (int, error) {
	p.out <- bytes.Clone(b)
	return len(b), nil
}

func (p *bufferedPipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.got.Len() == 0 {
		var timeout <-chan time.Time
		if !p.deadline.IsZero() {
			timer := time.NewTimer(time.Until(p.deadline))
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case data, ok := <-p.in:
			if !ok {
				return 0, io.EOF
			}
			p.got.Write(data)
		case <-timeout:
			return 0, os.ErrDeadlineExceeded
		}
	}
	return p.got.Read(b)
}

func (p *bufferedPipe) SetDeadline(t time.Time) error      { return p.SetReadDeadline(t) }
func (p *bufferedPipe) SetWriteDeadline(t time.Time) error { return nil }

func (p *bufferedPipe) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	return nil
}
