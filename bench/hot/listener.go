package hot

import (
	"net"
	"sync"
)

// listener hands connections to a server's accept loop.
type listener struct {
	accepts chan net.Conn
	stopped chan struct{}
	once    sync.Once
}

func newListener() *listener {
	return &listener{accepts: make(chan net.Conn, 1), stopped: make(chan struct{})}
}

// Accept waits for the next connection, and fails after Close.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepts:
		return c, nil
	case <-l.stopped:
		return nil, &net.OpError{Op: "accept", Net: "memory", Err: net.ErrClosed}
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.stopped) })
	return nil
}

func (l *listener) Addr() net.Addr { return local }
