package fasthttp

import (
	"errors"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// acceptTime bounds the emptying of an accept queue that clients refill.
	acceptTime = time.Second

	// acceptPause is how long a listener that cannot be polled is given to
	// come up with the next connection, and the pause after an error such as
	// EMFILE, which passes when connections close.
	acceptPause = 5 * time.Millisecond
)

// acceptLoop is a listener that Serve is accepting from. users, guarded by
// Server.mu, counts the Serve calls on it; ended is closed after the last.
// mu guards the rest, which the accept loops fill in at a stop.
type acceptLoop struct {
	ln    net.Listener
	users int
	ended chan struct{}

	choose sync.Once

	mu       sync.Mutex
	deadline time.Time
	strategy queueStrategy
	report   ListenerReport
	err      error
	closed   bool
	restore  func() // for others who have the socket, after the close; or nil
}

// lockServing locks Server.mu for the start of a Serve, once no drain is under
// way, and enters its listener.
func (s *Server) lockServing(ln net.Listener) {
	for {
		s.mu.Lock()
		d := s.drains.underway
		if d == nil {
			break
		}
		s.mu.Unlock()
		<-d.finished
	}
	s.drains.report.Store(nil)
	s.done.Store(&s.currentDrain().done)
	for _, l := range s.drains.loops {
		if sameListener(l.ln, ln) {
			l.users++
			return
		}
	}
	s.drains.loops = append(s.drains.loops, &acceptLoop{ln: ln, users: 1, ended: make(chan struct{})})
}

// serveEnded takes a listener out at the end of a Serve.
func (s *Server) serveEnded(ln net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, l := range s.drains.loops {
		if !sameListener(l.ln, ln) {
			continue
		}
		if l.users--; l.users == 0 {
			s.drains.loops = append(s.drains.loops[:i:i], s.drains.loops[i+1:]...)
			close(l.ended)
		}
		break
	}
	for i, l := range s.ln {
		if sameListener(l, ln) {
			s.ln = append(s.ln[:i:i], s.ln[i+1:]...)
			break
		}
	}
}

// sameListener compares listeners. A wrapper may be passed by value and hold a
// function, which == does not compare but panics: then the address has to do.
func sameListener(a, b net.Listener) bool {
	if reflect.ValueOf(a).Comparable() {
		return a == b
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) && addrOf(a) == addrOf(b)
}

// accept is the Accept of a Serve loop. After the stop it empties the queue,
// closes the listener and returns io.EOF.
func (s *Server) accept(ln net.Listener) (net.Conn, error) {
	d := s.currentDrain()
	if d.mode.Load() < modeStopped {
		c, err := ln.Accept()
		if err == nil && d != s.currentDrain() {
			// The drain has ended meanwhile, without waiting for this listener.
			_ = c.Close()
			return nil, io.EOF
		}
		if err == nil || d.mode.Load() < modeStopped {
			return c, err
		}
	}
	s.mu.Lock()
	var loop *acceptLoop
	for _, l := range s.drains.loops {
		if sameListener(l.ln, ln) {
			loop = l
		}
	}
	s.mu.Unlock()
	return loop.acceptLast(d)
}

// acceptLast accepts what is in the queue, or closes the listener.
func (l *acceptLoop) acceptLast(d *drain) (net.Conn, error) {
	q := l.chosen()
	l.mu.Lock()
	if l.deadline.IsZero() {
		l.deadline = d.stopAt.Add(acceptTime)
	}
	deadline := l.deadline
	l.mu.Unlock()

	for timeouts := 0; ; {
		waits, inTime := q.waits(), time.Now().Before(deadline) && !d.givenUp()
		if !waits || !inTime {
			l.close(!waits && q != noStrategy)
			return nil, io.EOF
		}
		q.allow(deadline)
		c, err := l.ln.Accept()
		switch {
		case err == nil:
			l.mu.Lock()
			l.report.Accepted++
			l.mu.Unlock()
			d.enqueued(c)
			return c, nil
		case isClosed(err):
			l.close(false)
			return nil, io.EOF
		case !isTimeout(err):
			d.sleep(acceptPause)
		default:
			// The deadline may have been the one that woke the loop, so the
			// first timeout says nothing about the queue.
			if timeouts++; timeouts > 1 && !q.polls() {
				l.close(true)
				return nil, io.EOF
			}
		}
	}
}

// chosen is the listener's strategy. Choosing it may stop the kernel from
// beginning handshakes, so it is put off until the stop.
func (l *acceptLoop) chosen() queueStrategy {
	l.choose.Do(func() {
		q, why := strategyFor(l.ln)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.strategy = q
		l.report.Strategy, l.report.Why = q.name(), why
		if l.closed {
			q.release(&l.report)
		}
	})
	return l.strategy
}

// enqueued notes a connection that was in an accept queue at the stop. Any
// other that comes to its worker after the stop had been accepted before.
func (d *drain) enqueued(c net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queued == nil {
		d.queued = map[net.Conn]struct{}{}
	}
	d.queued[c] = struct{}{}
}

// wasQueued says whether a connection was in an accept queue at the stop.
func (d *drain) wasQueued(c net.Conn) bool {
	switch w := c.(type) {
	case *perIPConn:
		c = w.Conn
	case *perIPTLSConn:
		c = w.Conn
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.queued[c]
	delete(d.queued, c)
	return ok
}

// close closes the listener once; emptied says that its queue was empty.
func (l *acceptLoop) close(emptied bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	l.report.Emptied = emptied
	if err := l.ln.Close(); err != nil && !isClosed(err) {
		l.err = err
	}
	if l.strategy != nil {
		l.strategy.release(&l.report)
	}
	if l.restore != nil {
		l.restore()
	}
}

// afterClose has restore called after the close, which may have been already.
func (l *acceptLoop) afterClose(restore func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.restore = restore
	if l.closed && restore != nil {
		restore()
	}
}

// closeListeners wakes the accept loops, which empty and close their listeners,
// and waits for them; it closes those that do not wake. An error that says a
// listener is closed already is none: that is what a stop is for.
func (s *Server) closeListeners(d *drain, loops []*acceptLoop) {
	for _, l := range loops {
		if dl := deadlinerOf(l.ln); dl == nil {
			l.close(false)
		} else {
			l.afterClose(unblock(dl))
			_ = dl.SetDeadline(expired)
		}
	}
	bound := time.NewTimer(acceptTime + deafGrace)
	defer bound.Stop()
	for _, l := range loops {
		select {
		case <-l.ended:
		case <-d.giveUp:
		case <-bound.C:
			bound.Reset(0)
		}
		l.close(false)
		l.mu.Lock()
		l.report.Addr = addrOf(l.ln)
		if l.report.Strategy == "" {
			l.report.Strategy = noStrategy.name()
			l.report.Why = "the listener cannot be woken, or its socket is hidden"
		}
		report, err := l.report, l.err
		l.mu.Unlock()

		d.mu.Lock()
		d.queues = append(d.queues, report)
		if d.err == nil {
			d.err = err
		}
		d.mu.Unlock()
	}
}

// addrOf is a listener's address, if it has one.
func addrOf(ln net.Listener) string {
	if a := ln.Addr(); a != nil {
		return a.String()
	}
	return ""
}

// acceptLoops are the listeners that Serve is accepting from.
func (s *Server) acceptLoops() []*acceptLoop {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.drains.loops)
}

func (d *drain) givenUp() bool {
	select {
	case <-d.giveUp:
		return true
	default:
		return false
	}
}

// isClosed says whether an error is that of a closed listener. In-memory and
// other listeners only say so in words, which upstream looks for as well.
func isClosed(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) ||
		strings.Contains(err.Error(), "use of closed network connection")
}
