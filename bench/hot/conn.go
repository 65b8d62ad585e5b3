package hot

import (
	"net"
	"sync"
	"time"
)

// peer is what a connection needs of its client: what the client sends, and what
// becomes of what it receives.
type peer interface {
	// more returns what the client sends next, or an error when it sends no more.
	// It waits where the client waits.
	more() (string, error)
	received(p []byte)
	closed()
}

// conn is a server's side of a connection in memory. No goroutine is needed at
// the other side: what the server reads comes straight from the client's script.
type conn struct {
	peer   peer
	unread string

	deadlines
}

// Read reads from what the client has sent: at most what it has sent at once.
func (c *conn) Read(p []byte) (int, error) {
	if c.unread == "" {
		var err error
		if c.unread, err = c.peer.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

func (c *conn) Write(p []byte) (int, error) {
	c.peer.received(p)
	return len(p), nil
}

func (c *conn) Close() error {
	c.unread = ""
	c.peer.closed()
	return nil
}

var local = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}

func (c *conn) LocalAddr() net.Addr  { return local }
func (c *conn) RemoteAddr() net.Addr { return local }

// deadlines cost about what a socket's deadlines cost, so that a needless call
// shows: a lock, a look at the clock, a timer. They never expire here.
type deadlines struct {
	mu          sync.Mutex
	read, write *time.Timer
}

func (d *deadlines) set(timer **time.Timer, t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case t.IsZero():
		if *timer != nil {
			(*timer).Stop()
		}
	case *timer == nil:
		*timer = time.AfterFunc(time.Until(t), func() {})
	default:
		(*timer).Reset(time.Until(t))
	}
	return nil
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { return d.set(&d.read, t) }
func (d *deadlines) SetWriteDeadline(t time.Time) error { return d.set(&d.write, t) }
func (d *deadlines) SetDeadline(t time.Time) error {
	_ = d.set(&d.read, t)
	return d.set(&d.write, t)
}
