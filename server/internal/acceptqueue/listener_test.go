package acceptqueue

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// byPointer embeds the socket, as listeners that set options of their connections
// do, and has its SetDeadline and SyscallConn.
type byPointer struct {
	*net.TCPListener
	woken *atomic.Int64 // timeouts before the deadline
}

// Accept sets deadlines of its own, and goes on after a timeout.
func (l *byPointer) Accept() (net.Conn, error) {
	for {
		deadline := time.Now().Add(50 * time.Millisecond)
		_ = l.TCPListener.SetDeadline(deadline)
		c, err := l.TCPListener.Accept()
		if err == nil || !isTimeout(err) {
			return c, err
		}
		if time.Now().Before(deadline) {
			l.woken.Add(1)
		}
	}
}

// cycle exports itself.
type cycle struct{ Listener net.Listener }

func (l *cycle) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (l *cycle) Close() error              { return nil }
func (l *cycle) Addr() net.Addr            { return nil }

// hollow embeds a nil pointer.
type hollow struct {
	*wrapper
	closed chan struct{}
}

func (l hollow) Accept() (net.Conn, error) { <-l.closed; return nil, net.ErrClosed }
func (l hollow) Close() error              { close(l.closed); return nil }

// Known are the standard library's sockets, and a TLS listener directly on one.
func TestKnownListeners(t *testing.T) {
	tcp := listen(t)
	unix, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	config := &tls.Config{Certificates: make([]tls.Certificate, 1)}
	loop := &cycle{}
	loop.Listener = loop
	for _, test := range []struct {
		name           string
		ln             net.Listener
		known, visible socket
	}{
		{"TCP", tcp, tcp, tcp},
		{"Unix", unix, unix.(*net.UnixListener), unix.(*net.UnixListener)},
		{"TLS on TCP", tls.NewListener(tcp, config), tcp, tcp},
		{"TLS on a wrapper", tls.NewListener(&wrapper{Listener: tcp}, config), nil, tcp},
		{"wrapper of TLS", &wrapper{Listener: tls.NewListener(tcp, config)}, nil, tcp},
		{"embedded socket", &byPointer{TCPListener: tcp}, nil, tcp},
		{"embedded twice", &wrapper{Listener: &wrapper{Listener: tcp}}, nil, tcp},
		{"nil pointer embedded", hollow{}, nil, nil},
		{"nil socket embedded", &byPointer{}, nil, nil},
		{"nil interface embedded", &wrapper{}, nil, nil},
		{"itself", loop, nil, nil},
		{"nil pointer", (*net.TCPListener)(nil), nil, nil},
		{"nil wrapper", (*wrapper)(nil), nil, nil},
		{"TLS on nothing", tls.NewListener(nil, config), nil, nil},
		{"no listener", nil, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if k, v := known(test.ln), visible(test.ln); k != test.known || v != test.visible {
				t.Errorf("known %v, visible %v, want %v, %v", k, v, test.known, test.visible)
			}
		})
	}
}

// A listener that gives its place back at its Close keeps its socket, for others
// in the process. Nothing happens to that, and it goes on accepting.
func TestListenerThatKeepsItsSocket(t *testing.T) {
	for _, visible := range []bool{true, false} {
		tcp := listen(t)
		conns, closed := make(chan net.Conn), make(chan struct{})
		var failed atomic.Pointer[error]
		go func() { // the only one who accepts
			for {
				c, err := tcp.Accept()
				if err != nil {
					failed.Store(&err)
					return
				}
				conns <- c
			}
		}()
		lease := &wrapper{Listener: tcp}
		lease.accept = func() (net.Conn, error) {
			select {
			case c := <-conns:
				return c, nil
			case <-closed:
				return nil, errors.New("the lease has ended")
			}
		}
		lease.close = func() error { close(closed); return nil }
		var ln net.Listener = lease
		if !visible {
			ln = struct{ hidden }{hidden{lease}}
		}
		l := startLoop(ln, nil)
		wantHello(t, dial(t, tcp))
		if r := l.end(t); r.Strategy == Twin || r.Why == "" || r.Strategy == Poll != visible {
			t.Errorf("%+v, want the socket left alone, and why", r)
		}
		c := dial(t, tcp)
		select {
		case <-conns:
		case <-time.After(bound):
			t.Fatalf("nothing is accepted after the stop: %v", failed.Load())
		}
		_ = c.Close()
		if err := failed.Load(); err != nil {
			t.Errorf("the Accept of the socket ended in %v", *err)
		}
	}
}

// hidden does not say what it wraps.
type hidden struct{ l net.Listener }

func (h hidden) Accept() (net.Conn, error) { return h.l.Accept() }
func (h hidden) Close() error              { return h.l.Close() }
func (h hidden) Addr() net.Addr            { return h.l.Addr() }

// An Accept that goes on after a timeout is not woken by one: the listener is
// closed when its queue is empty.
func TestAcceptThatGoesOnAfterATimeout(t *testing.T) {
	ln := &byPointer{TCPListener: listen(t), woken: new(atomic.Int64)}
	l := startLoop(ln, nil)
	wantHello(t, dial(t, ln))
	if r, n := l.end(t), ln.woken.Load(); r.Strategy != Poll || !r.Emptied || n != 0 {
		t.Errorf("%+v, and woken %d times, want the queue found empty, and no timeouts but its own", r, n)
	}
}

// A listener whose Accept waits for something else than connections is not closed
// while some are in the queue, and closed when the time is up.
func TestListenerAtItsLimit(t *testing.T) {
	for _, frees := range []bool{true, false} {
		tcp := listen(t)
		slot := make(chan struct{}, 1)
		ended := make(chan struct{})
		ln := &wrapper{Listener: tcp}
		ln.accept = func() (net.Conn, error) {
			select {
			case slot <- struct{}{}:
				return tcp.Accept()
			case <-ended:
				return nil, net.ErrClosed
			}
		}
		ln.close = func() error { close(ended); return tcp.Close() }
		l := startLoop(ln, nil)
		wantHello(t, dial(t, tcp))
		queued := dial(t, tcp)
		awaitQueue(t, tcp, 1)
		close(l.stop)
		until := time.Now().Add(bound)
		if !frees {
			until = time.Now().Add(100 * time.Millisecond)
		}
		l.q.Open(until, nil, true)
		if frees {
			<-slot
			wantHello(t, queued)
		}
		<-l.ended
		if r := l.closed(t); r.Emptied != frees {
			t.Errorf("%+v, want its queue emptied: %t", r, frees)
		}
	}
}

// What a listener of the application has left after its Close is served, as
// upstream's loop goes on until Accept has an error.
func TestListenerWithConnectionsOfItsOwn(t *testing.T) {
	conns, closed := make(chan net.Conn, 3), make(chan struct{})
	ln := &wrapper{Listener: nil}
	ln.accept = func() (net.Conn, error) {
		<-closed
		select {
		case c := <-conns:
			return c, nil
		default:
			return nil, net.ErrClosed
		}
	}
	ln.close = func() error { close(closed); return nil }
	var clients []net.Conn
	for range cap(conns) {
		client, server := net.Pipe()
		clients = append(clients, client)
		conns <- server
	}
	l := startLoop(ln, nil)
	l.end(t)
	for _, c := range clients {
		_, _ = c.Write([]byte{'?'})
		wantHello(t, c)
	}
}

// A Close that blocks is not waited for beyond the time.
func TestCloseThatBlocks(t *testing.T) {
	for _, gives := range []bool{true, false} {
		block := make(chan struct{})
		ln := &wrapper{Listener: listen(t), close: func() error { <-block; return nil }}
		q := New(ln, nil)
		giveUp := make(chan struct{})
		until := time.Now().Add(50 * time.Millisecond)
		if gives {
			until = time.Now().Add(time.Hour)
			close(giveUp)
		}
		q.Open(until, giveUp, true)
		returned := make(chan struct{})
		go func() {
			_, _ = q.Close()
			close(returned)
		}()
		select {
		case <-returned:
		case <-time.After(bound):
			t.Error("Close does not return")
		}
		close(block)
	}
}

// The file of a Unix socket is removed, unless a successor has put its own there.
func TestPathOfAUnixSocket(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "socket")
		ln, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		l := startLoop(ln, nil)
		wantHello(t, dial(t, ln))
		if replaced {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			successor, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer successor.Close()
		}
		l.end(t)
		if _, err := os.Lstat(path); (err == nil) != replaced {
			t.Errorf("replaced %t: the file after the stop: %v", replaced, err)
		}
		if replaced {
			_ = dial(t, ln)
		}
	}
}
