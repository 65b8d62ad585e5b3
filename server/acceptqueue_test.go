package fasthttp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// holdAccepting makes the accept loop of s stop after its nth connection, until
// release is closed: what comes then stays in the kernel's queue.
func holdAccepting(s *Server, n int32) (held <-chan struct{}, release chan struct{}) {
	reached := make(chan struct{})
	release = make(chan struct{})
	var accepted atomic.Int32
	s.ConnState = func(_ net.Conn, state ConnState) {
		if state == StateNew && accepted.Add(1) == n {
			close(reached)
			<-release
		}
	}
	return reached, release
}

// Connections that the kernel has completed when the stop is set are accepted
// and served.
func TestAcceptQueueIsServedAtStop(t *testing.T) { serveAcceptQueue(t, "tcp") }

// ServeTLS and others wrap the listener: its queue is emptied through them.
func TestAcceptQueueIsServedAtStopTLS(t *testing.T) { serveAcceptQueue(t, "tls") }

func serveAcceptQueue(t *testing.T, network string) {
	t.Helper()
	for _, reduce := range []bool{false, true} {
		k := drainKind{network, reduce}
		t.Run(k.String(), func(t *testing.T) {
			inTime(t, acceptTime, func() (took time.Duration, err error) {
				const n = 24
				closed := make(chan struct{})
				s := &Server{Drain: Drain{FinalRead: 5 * time.Second, OnPhase: func(p DrainPhase) {
					if p == PhaseDraining {
						close(closed)
					}
				}}}
				held, release := holdAccepting(s, 1)
				r := startDrainRig(t, k, s)
				first := r.dialRaw()
				r.await("the first connection", held)
				conns := make([]net.Conn, n)
				for i := range conns {
					conns[i] = r.dialRaw() // into the queue
				}
				stopping := time.Now()
				call := r.stop()

				if network == "tls" { // so many handshakes hold up the accept loop, which has a second
					close(release)
					r.await("the close of the listener", closed)
				}
				errs := make(chan error, n)
				for i := range conns {
					go func() { errs <- askQueued(conns[i], network == "tls") }()
				}
				if network != "tls" {
					close(release)
				}
				lost := 0
				var last error
				for range n {
					if err := <-errs; err != nil {
						lost++
						last = err
					}
				}
				took = time.Since(stopping)
				_ = first.Close()
				report := call.wantNil()
				if lost > 0 {
					return took, fmt.Errorf("%d of %d connections in the accept queue lost; one by %w", lost, n, last)
				}
				if report.Accepted != n && report.Accepted != n+1 {
					t.Errorf("%d connections accepted since the stop, want %d", report.Accepted, n)
				}
				if len(report.Listeners) != 1 {
					t.Fatalf("listeners %+v, want one", report.Listeners)
				}
				l := report.Listeners[0]
				if l.Accepted != n || !l.Emptied || l.Strategy == "close" || l.Addr != r.ln.Addr().String() {
					t.Errorf("listener %+v, want %d accepted and the queue of %s emptied", l, n, r.ln.Addr())
				}
				return took, nil
			})
		})
	}
}

// askQueued has a request answered on a connection in the accept queue.
func askQueued(c net.Conn, overTLS bool) error {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(drainBound))
	if overTLS {
		c = newDrainTLSClient(c)
	}
	if _, err := io.WriteString(c, drainGet("/queued")); err != nil {
		return err
	}
	client := newDrainClient(nil, c)
	reply, err := client.read()
	if err != nil {
		return err
	}
	if reply.code != StatusOK || reply.body != "/queued" {
		return errors.New("response " + reply.body)
	}
	_, err = client.br.ReadByte()
	if err != io.EOF {
		return err
	}
	return nil
}

// observingListener hands out one connection and calls second on the next
// Accept, in the accept loop's goroutine.
type observingListener struct {
	conn   net.Conn
	second func()
	calls  int
	closed chan struct{}
	once   sync.Once
}

func (l *observingListener) Accept() (net.Conn, error) {
	l.calls++
	switch l.calls {
	case 1:
		return l.conn, nil
	case 2:
		l.second()
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *observingListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *observingListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// A connection is counted from its acceptance: a drain must not find the table
// empty while it is on its way to its worker.
func TestHandOverIsCounted(t *testing.T) {
	for range 20 {
		client, server := net.Pipe()
		defer client.Close()
		s := &Server{Handler: func(*RequestCtx) {}, Drain: Drain{FinalRead: -1}, Logger: silentDrainLog{}}
		open, stats := -1, ConnStats{}
		observed := make(chan struct{})
		ln := &observingListener{conn: server, closed: make(chan struct{}), second: func() {
			open, stats = s.connTable().open(), s.ConnStats()
			close(observed)
		}}
		// On one processor the worker, a new goroutine, begins when the accept
		// loop waits: after the observation.
		procs := runtime.GOMAXPROCS(1)
		served := make(chan error, 1)
		go func() { served <- s.Serve(ln) }()
		<-observed
		runtime.GOMAXPROCS(procs)
		_ = client.Close()
		if err := s.Shutdown(); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		<-served
		if open != 1 || stats.Open != 1 {
			t.Fatalf("on its way to its worker a connection is counted %d times, and ConnStats says %+v", open, stats)
		}
	}
}

// exportingListener wraps a listener as crypto/tls does.
type exportingListener struct {
	net.Listener
	_ []int // makes values of the type incomparable
}

// opaqueListener does not say what it wraps.
type opaqueListener struct{ inner net.Listener }

func (l opaqueListener) Accept() (net.Conn, error) { return l.inner.Accept() }
func (l opaqueListener) Close() error              { return l.inner.Close() }
func (l opaqueListener) Addr() net.Addr            { return l.inner.Addr() }

// deafListener cannot be woken: its Accept returns when wake is closed.
type deafListener struct {
	net.Listener
	wake chan struct{}
}

func (l *deafListener) Accept() (net.Conn, error) {
	<-l.wake
	return nil, net.ErrClosed
}

func (l *deafListener) SetDeadline(time.Time) error { return nil }

// A listener of an unknown type is closed when its socket's queue is empty, if it
// exports the socket, and at once if it does not. Nothing is done to the socket.
func TestListenerWrappers(t *testing.T) {
	k := drainKind{net: "tcp"}
	for _, test := range []struct {
		name, strategy string
		wrap           func(net.Listener) net.Listener
	}{
		{"exported", "poll", func(ln net.Listener) net.Listener { return &exportingListener{Listener: ln} }},
		{"exported, by value", "poll", func(ln net.Listener) net.Listener { return exportingListener{Listener: ln} }},
		{"exported twice", "poll", func(ln net.Listener) net.Listener {
			return &exportingListener{Listener: exportingListener{Listener: ln}}
		}},
		{"opaque", "close", func(ln net.Listener) net.Listener { return opaqueListener{ln} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			ln := test.wrap(newDrainListener(t, k))
			r := startDrainRigOn(t, k, &Server{Drain: Drain{FinalRead: -1}}, ln)
			c := r.dialIdle()
			call := r.stop()
			c.wantEOF()
			_ = c.c.Close()
			report := call.wantNil()
			want := test.strategy
			if l := report.Listeners; len(l) != 1 || l[0].Strategy != want || l[0].Emptied != (want != "close") {
				t.Errorf("listeners %+v, want strategy %q", l, want)
			}
			select {
			case err := <-r.served:
				if err != nil {
					t.Errorf("Serve returned %v after Shutdown", err)
				}
			case <-time.After(drainBound):
				t.Errorf("Serve does not return after Shutdown")
			}
		})
	}
}

// A listener whose Accept does not return holds the drain for a bounded time.
func TestListenerThatCannotBeWoken(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		k := drainKind{net: "memory"}
		ln := &deafListener{Listener: newDrainListener(t, k), wake: make(chan struct{})}
		r := startDrainRigOn(t, k, &Server{}, ln)
		begun := time.Now()
		if err := r.stop().wait(); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(begun); took > acceptTime+2*deafGrace {
			t.Errorf("Shutdown took %v", took)
		}
		if l := r.s.DrainReport().Listeners; len(l) != 1 || l[0].Emptied {
			t.Errorf("listeners %+v, want one that is not said to be emptied", l)
		}
		close(ln.wake)
	})
}

// A listener that the application has closed is no error: callers exit with 1
// on that.
func TestListenerClosedBeforeShutdown(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		r := startDrainRig(t, k, &Server{Drain: Drain{FinalRead: -1}})
		c := r.dialIdle()
		_ = r.ln.Close()
		if err := <-r.served; err != nil {
			t.Errorf("Serve returned %v after its listener was closed", err)
		}
		call := r.stop()
		c.wantEOF()
		_ = c.c.Close()
		call.wantNil()
	})
}

// Several Serve loops, on one listener or on several, all end.
func TestSeveralServeLoops(t *testing.T) {
	for _, listeners := range []int{1, 3} {
		for _, network := range []string{"tcp", "tls"} {
			k := drainKind{net: network}
			r := startDrainRig(t, k, &Server{Drain: Drain{FinalRead: -1}})
			lns := []net.Listener{r.ln}
			for range listeners - 1 {
				lns = append(lns, newDrainListener(t, k))
			}
			for _, ln := range append(lns[1:], r.ln) {
				go func() { r.served <- r.s.Serve(ln) }()
			}
			r.awaitTrue("all loops run", func() bool {
				r.s.mu.Lock()
				defer r.s.mu.Unlock()
				return len(r.s.ln) == listeners+1
			})
			var clients []*drainClient
			for _, ln := range lns {
				r.ln = ln
				clients = append(clients, r.dialIdle(), r.dialIdle())
			}
			call := r.stop()
			for _, c := range clients {
				c.wantEOF()
				_ = c.c.Close()
			}
			if report := call.wantNil(); len(report.Listeners) != listeners || report.OpenAtStop != 2*listeners {
				t.Errorf("%d listeners in the report, %d connections, want %d and %d",
					len(report.Listeners), report.OpenAtStop, listeners, 2*listeners)
			}
			for range listeners + 1 {
				select {
				case err := <-r.served:
					if err != nil {
						t.Errorf("Serve returned %v", err)
					}
				case <-time.After(drainBound):
					t.Fatalf("a Serve of %d listeners does not return after Shutdown", listeners)
				}
			}
		}
	}
}

// The error of closing a listener is that of Shutdown.
func TestErrorOfClosingAListener(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		k := drainKind{net: "memory"}
		ln := &failingListener{newDrainListener(t, k)}
		r := startDrainRigOn(t, k, &Server{}, ln)
		if err := r.stop().wait(); err == nil || !strings.Contains(err.Error(), "no close today") {
			t.Errorf("Shutdown returned %v, want the listener's error", err)
		}
	})
}

type failingListener struct{ net.Listener }

func (l *failingListener) Close() error {
	_ = l.Listener.Close()
	return errors.New("no close today")
}
