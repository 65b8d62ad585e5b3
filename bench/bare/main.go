//go:build unix

// Command bare is a server without the Go runtime's poller and without goroutines for
// its idle connections: a stop of it is system calls and nothing else. With -close it
// closes each connection, as upstream does; without, it does what a stop has to do that
// loses nothing: it looks whether something has come, half-closes, reads the client's
// FIN, and closes. The difference is what losing nothing takes in the kernel. Part of it
// is only moved: where the server just closes, the client's FIN frees the connection, in
// the client's time.
package main

import (
	"context"
	"errors"
	"flag"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/bench/internal/serving"
)

func main() {
	onlyClose := flag.Bool("close", false, "close connections at the stop, and do nothing else")
	serving.Main(func() (serving.Server, error) { return &server{onlyClose: *onlyClose}, nil })
}

type server struct {
	onlyClose bool
	acceptor  serving.Acceptor

	mu  sync.Mutex // guards what is below
	fds []int      // of connections that have been answered
	err error      // why one could not be
}

func (s *server) Serve(ln net.Listener) error {
	return s.acceptor.Accept(ln, func(c net.Conn) { go s.begin(c) })
}

// begin answers a connection, and keeps why that failed.
func (s *server) begin(c net.Conn) {
	if err := s.answer(c); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err = errors.Join(s.err, err)
	}
}

// answer answers a connection's first request, which bench's idle clients send in one
// write, and takes the connection out of the poller. A client that sends another one gets
// no answer.
func (s *server) answer(c net.Conn) error {
	defer c.Close()
	sock, ok := c.(syscall.Conn)
	if !ok {
		return errors.New("not a socket")
	}
	if _, err := c.Read(make([]byte, 1<<10)); err != nil {
		return err
	}
	raw, err := sock.SyscallConn()
	if err != nil {
		return err
	}
	var fd int
	cerr := raw.Control(func(own uintptr) { fd, err = syscall.Dup(int(own)) })
	if err := errors.Join(cerr, err); err != nil {
		return err
	}
	s.mu.Lock()
	s.fds = append(s.fds, fd) // before the response: with that the client counts as idle
	s.mu.Unlock()
	_, err = c.Write([]byte(serving.Response))
	return err
}

// Shutdown closes the connections. Its error joins those of clients that were not idle, of
// system calls, and of ctx, at whose end it leaves what lingers to the process's.
func (s *server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.Join(s.acceptor.Close(), s.err)
	if s.onlyClose {
		for _, fd := range s.fds {
			err = errors.Join(err, syscall.Close(fd))
		}
		return err
	}
	var b [1]byte
	lingering := s.fds[:0]
	for _, fd := range s.fds {
		if n, _, rerr := syscall.Recvfrom(fd, b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT); n > 0 || rerr != syscall.EAGAIN {
			err = errors.Join(err, errors.New("a connection is not idle"), syscall.Close(fd))
			continue
		}
		err = errors.Join(err, syscall.Shutdown(fd, syscall.SHUT_WR))
		lingering = append(lingering, fd)
	}
	for len(lingering) > 0 && ctx.Err() == nil {
		waits := lingering[:0]
		for _, fd := range lingering {
			if _, rerr := syscall.Read(fd, b[:]); rerr == syscall.EAGAIN {
				waits = append(waits, fd)
				continue
			}
			err = errors.Join(err, syscall.Close(fd))
		}
		if lingering = waits; len(lingering) > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	return errors.Join(err, ctx.Err())
}
