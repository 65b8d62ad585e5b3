package acceptqueue

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// bound is for what must happen: only a hang takes longer.
const bound = 30 * time.Second

// loop is an accept loop as a server has it: of the listener until the stop, of
// the Queue then. It says "hello" on each connection and closes it.
type loop struct {
	ln    net.Listener
	q     *Queue
	stop  chan struct{}
	ended chan struct{}

	// busy is called for each connection before the next Accept; or nil.
	busy func()
}

func startLoop(ln net.Listener, busy func()) *loop {
	l := &loop{ln: ln, q: New(ln, nil), stop: make(chan struct{}), ended: make(chan struct{}), busy: busy}
	go l.run()
	return l
}

func (l *loop) run() {
	defer close(l.ended)
	for {
		var c net.Conn
		err := net.ErrClosed
		if !isClosed(l.stop) {
			c, err = l.ln.Accept()
		}
		if err != nil && isClosed(l.stop) {
			c, err = l.q.Accept()
		}
		if err != nil {
			return
		}
		go func() {
			_, _ = c.Read(make([]byte, 1))
			_, _ = io.WriteString(c, "hello")
			_ = c.Close()
		}()
		if l.busy != nil {
			l.busy()
		}
	}
}

// end stops the loop and returns the report.
func (l *loop) end(t *testing.T) Report {
	t.Helper()
	close(l.stop)
	l.q.Open(time.Now().Add(bound/2), nil, true)
	select {
	case <-l.ended:
	case <-time.After(bound):
		t.Fatal("the accept loop does not end")
	}
	return l.closed(t)
}

func (l *loop) closed(t *testing.T) Report {
	t.Helper()
	r, err := l.q.Close()
	if err != nil {
		t.Errorf("Close: %v", err)
	}
	return r
}

// stopOn has a connection accepted, stops, and returns the report.
func stopOn(t *testing.T, ln net.Listener) Report {
	t.Helper()
	l := startLoop(ln, nil)
	c := dial(t, ln)
	r := l.end(t)
	wantHello(t, c)
	_ = c.Close()
	return r
}

func dial(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	c, err := net.DialTimeout(ln.Addr().Network(), ln.Addr().String(), bound)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write([]byte{'?'}); err != nil {
		t.Fatal(err)
	}
	return c
}

// hello reads what the loop says.
func hello(c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(bound))
	b, err := io.ReadAll(c)
	if err == nil && string(b) != "hello" {
		err = errors.New("no hello")
	}
	return err
}

func wantHello(t *testing.T, c net.Conn) {
	t.Helper()
	if err := hello(c); err != nil {
		t.Errorf("a connection ends in %v, want it served", err)
	}
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln.(*net.TCPListener)
}

// wrapper exports the socket below it.
type wrapper struct {
	net.Listener
	accept func() (net.Conn, error) // or nil
	close  func() error             // or nil

	once   sync.Once
	closed chan struct{}
}

func (w *wrapper) Accept() (net.Conn, error) {
	if w.accept != nil {
		return w.accept()
	}
	return w.Listener.Accept()
}

func (w *wrapper) Close() error {
	if w.close != nil {
		return w.close()
	}
	return w.Listener.Close()
}

// watchedSocket says whether it was looked at between the deadline that wakes the
// accept loops and the moment from which they may accept.
type watchedSocket struct {
	*net.TCPListener
	q      *Queue
	woken  bool
	looked bool
}

func (s *watchedSocket) SetDeadline(t time.Time) error {
	s.woken = s.woken || t.Equal(expired)
	return s.TCPListener.SetDeadline(t)
}

func (s *watchedSocket) SyscallConn() (syscall.RawConn, error) {
	s.looked = s.looked || s.woken && !isClosed(s.q.opened)
	return s.TCPListener.SyscallConn()
}

// The loops wait before the look for others begins, see hold: it takes a while,
// and what connects meanwhile is accepted after it.
func TestLoopsWaitBeforeTheLook(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	q := New(ln, nil)
	s := &watchedSocket{TCPListener: ln.(*net.TCPListener), q: q}
	q.sock, q.seen = s, s
	q.Open(time.Now().Add(bound), nil, true)
	if !s.looked {
		t.Error("the look at the socket came before the loops were woken")
	}
	if _, err := q.Accept(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if _, err := q.Close(); err != nil {
		t.Error(err)
	}
}
