//go:build unix

// Command least is a server that does at a stop the least that a drain without loss
// has to do for an idle connection: it wakes the goroutine that reads it, looks whether
// something has come, half-closes, reads the client's FIN, and closes. There is no
// account, no window and no limit. bench stops it beside the others: what it takes
// more than a server that just closes is the price of losing nothing.
package main

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/bench/internal/serving"
)

func main() {
	serving.Main(func() (serving.Server, error) {
		return &server{conns: map[*net.TCPConn]bool{}}, nil
	})
}

type server struct {
	acceptor serving.Acceptor
	mu       sync.Mutex // guards conns
	conns    map[*net.TCPConn]bool
	running  sync.WaitGroup
}

func (s *server) Serve(ln net.Listener) error {
	return s.acceptor.Accept(ln, func(c net.Conn) {
		tcp := c.(*net.TCPConn) // of the frame's listener
		s.mu.Lock()
		s.conns[tcp] = true
		s.mu.Unlock()
		s.running.Go(func() { s.serve(tcp) })
	})
}

// Shutdown wakes the connections, and waits until the last has closed.
func (s *server) Shutdown(context.Context) error {
	err := s.acceptor.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
	s.mu.Unlock()
	s.running.Wait()
	return err
}

// serve answers each read, as bench's idle clients send a request in one write. A
// client that sends anything during the stop would get no answer.
func (s *server) serve(c *net.TCPConn) {
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		_ = c.Close()
	}()
	b := make([]byte, 1<<10)
	for {
		n, err := c.Read(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !waits(c) {
				linger(c, b)
			}
			return
		case err != nil || n == 0:
			return
		}
		if _, err := c.Write([]byte(serving.Response)); err != nil {
			return
		}
	}
}

// waits says whether bytes wait in the socket.
func waits(c *net.TCPConn) (yes bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		yes = err == nil && n > 0
	})
	return yes
}

// linger half-closes, and waits for the client's FIN.
func linger(c *net.TCPConn, b []byte) {
	_ = c.CloseWrite()
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	for {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}
