package main

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

// wrapListener puts a wrapper round a listener that is to accept so many connections
// before the stop.
func wrapListener(name string, ln net.Listener, accepts int) net.Listener {
	switch name {
	case "pointer":
		return &pointerListener{ln}
	case "value":
		return valueListener{ln, func() {}}
	case "nil":
		return decoratedListener{inner: ln}
	case "hidden":
		return hiddenListener{ln}
	case "limit":
		return netutil.LimitListener(ln, 100)
	case "patient":
		return patientListener{ln}
	case "slow-close":
		return &slowListener{Listener: ln, takes: draw.Blocking}
	case "stuck-close":
		return &slowListener{Listener: ln, takes: draw.Stuck}
	case "failing":
		return &failingListener{Listener: ln, left: accepts}
	}
	panic("no such wrapper of a listener: " + name)
}

type pointerListener struct{ net.Listener }

// valueListener cannot be compared.
type valueListener struct {
	net.Listener
	hook func()
}

func (l valueListener) Accept() (net.Conn, error) {
	l.hook()
	return l.Listener.Accept()
}

type listenerDecoration struct{ net.Listener }

// decoratedListener exports a Listener that is behind a nil pointer.
type decoratedListener struct {
	*listenerDecoration
	inner net.Listener
}

func (l decoratedListener) Accept() (net.Conn, error) { return l.inner.Accept() }
func (l decoratedListener) Close() error              { return l.inner.Close() }
func (l decoratedListener) Addr() net.Addr            { return l.inner.Addr() }

type hiddenListener struct{ inner net.Listener }

func (l hiddenListener) Accept() (net.Conn, error) { return l.inner.Accept() }
func (l hiddenListener) Close() error              { return l.inner.Close() }
func (l hiddenListener) Addr() net.Addr            { return l.inner.Addr() }

// patientListener goes on after a timeout.
type patientListener struct{ net.Listener }

func (l patientListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return c, err
		}
		time.Sleep(time.Millisecond)
	}
}

// slowListener blocks in its first Close for a time.
type slowListener struct {
	net.Listener
	once  sync.Once
	takes time.Duration
}

func (l *slowListener) Close() error {
	l.once.Do(func() { time.Sleep(l.takes) })
	return l.Listener.Close()
}

// failingListener fails for good when it has accepted what connects before the stop,
// as one does that has no descriptors left.
type failingListener struct {
	net.Listener
	left int
}

func (l *failingListener) Accept() (net.Conn, error) {
	if l.left--; l.left < 0 {
		return nil, errFailed
	}
	return l.Listener.Accept()
}

var errFailed = errors.New("too many open files")

// wrappingListener wraps what it accepts.
type wrappingListener struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (l *wrappingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.wrap(c), nil
}
