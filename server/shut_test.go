package fasthttp

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// closingConn holds its last request back until it is closed: the server reads
// it on a connection that it has just closed itself, as it may of a pipe or of a
// wrapper that holds bytes. Its Read does not obey deadlines.
type closingConn struct {
	net.Conn

	held   string
	closed chan struct{}
	once   sync.Once
}

func (c *closingConn) Read(b []byte) (int, error) {
	<-c.closed
	if c.held == "" {
		return 0, net.ErrClosed
	}
	n := copy(b, c.held)
	c.held = c.held[n:]
	return n, nil
}

func (c *closingConn) Write(b []byte) (int, error)      { return len(b), nil }
func (c *closingConn) SetDeadline(time.Time) error      { return nil }
func (c *closingConn) SetReadDeadline(time.Time) error  { return nil }
func (c *closingConn) SetWriteDeadline(time.Time) error { return nil }
func (c *closingConn) LocalAddr() net.Addr              { return zeroTCPAddr }
func (c *closingConn) RemoteAddr() net.Addr             { return zeroTCPAddr }

func (c *closingConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// What is read on a connection that the drain has closed is not served: neither
// where it took it for deaf, nor under ForceClose.
func TestNothingIsServedOnAConnectionThatTheDrainClosed(t *testing.T) {
	for _, test := range []struct {
		name  string
		drain Drain
		limit time.Duration // of the context; 0: none
	}{
		{name: "deaf", drain: Drain{FinalRead: 50 * time.Millisecond}},
		{name: "ForceClose", drain: Drain{FinalRead: time.Minute, ForceClose: true}, limit: 100 * time.Millisecond},
	} {
		for _, reduce := range []bool{false, true} {
			for _, pipelined := range []bool{false, true} {
				k := drainKind{net: "memory", reduce: reduce}
				name := test.name + "/" + k.String()
				held := drainGet("/held")
				if pipelined {
					name += "/pipelined"
					held += drainGet("/held")
				}
				t.Run(name, func(t *testing.T) {
					inDrainBubble(t, func(t *testing.T) {
						r := newDrainRig(t, k, &Server{Drain: test.drain})
						c := &closingConn{closed: make(chan struct{}), held: held}
						go func() { r.served <- r.s.ServeConn(c) }()
						r.settle()
						ctx := context.Background()
						if test.limit > 0 {
							var cancel func()
							ctx, cancel = context.WithTimeout(ctx, test.limit)
							defer cancel()
						}
						err := r.s.ShutdownWithContext(ctx)
						<-r.served
						if n := r.executed.Load(); n != 0 {
							t.Errorf("%d requests executed on a closed connection (Shutdown: %v)", n, err)
						}
						if o := r.s.DrainReport().Outcomes; o.Forced != 1 {
							t.Errorf("outcomes %+v, want one forced", o)
						}
					})
				})
			}
		}
	}
}

// Hooks see what the listener accepted, or what was given to ServeConn, in every
// state and in a drain.
func TestConnStateSeesWhatWasAccepted(t *testing.T) {
	for _, serveConn := range []bool{false, true} {
		name := "Serve"
		if serveConn {
			name = "ServeConn"
		}
		t.Run(name, func(t *testing.T) {
			client, server := net.Pipe()
			var mu sync.Mutex
			var wrong []ConnState
			var last ConnState
			s := &Server{Drain: Drain{FinalRead: -1}}
			s.ConnState = func(c net.Conn, state ConnState) {
				mu.Lock()
				defer mu.Unlock()
				if last = state; c != server {
					wrong = append(wrong, state)
				}
			}
			r := newDrainRig(t, drainKind{net: "tcp"}, s)
			if serveConn {
				go func() { r.served <- s.ServeConn(server) }()
			} else {
				go func() {
					r.served <- s.Serve(&observingListener{conn: server, closed: make(chan struct{}), second: func() {}})
				}()
			}
			c := newDrainClient(t, client)
			c.get("/")
			c.want("/", keepAlive)
			r.await("the connection to go idle", r.idle)
			r.stop()
			c.wantEOF()
			_ = client.Close()
			if err := <-r.served; err != nil {
				t.Errorf("served: %v", err)
			}
			r.awaitTrue("the last state", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return last == StateClosed
			})
			if len(wrong) > 0 {
				t.Errorf("a hook got another connection than was accepted, in the states %v", wrong)
			}
		})
	}
}
