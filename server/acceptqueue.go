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

// servedListener takes the listener's place in one call of Serve: its Accept is
// the drain's. Only the goroutine of that Serve uses it.
type servedListener struct {
	net.Listener

	s    *Server
	loop *acceptLoop

	// afterStop says that the connection accepted last was in the accept queue
	// at the stop; any other that reaches its worker then was accepted before.
	afterStop bool

	shard uint32 // of the connection accepted last
}

// enterServe is the start of a Serve: it waits until no drain is under way, and
// enters the listener for the next one. leave is the end of that Serve.
func (s *Server) enterServe(ln net.Listener) (_ net.Listener, leave func()) {
	for {
		s.mu.Lock()
		d := s.drains.underway
		if d == nil {
			break
		}
		s.mu.Unlock()
		<-d.finished
	}
	defer s.mu.Unlock()
	s.drains.report.Store(nil)
	s.done.Store(&s.currentDrain().done)
	at := slices.IndexFunc(s.drains.loops, func(l *acceptLoop) bool { return sameListener(l.ln, ln) })
	if at < 0 {
		at = len(s.drains.loops)
		s.drains.loops = append(s.drains.loops, &acceptLoop{ln: ln, ended: make(chan struct{})})
	}
	served := &servedListener{Listener: ln, s: s, loop: s.drains.loops[at]}
	served.loop.users++
	return served, served.leave
}

// leave takes the listener out at the end of a Serve.
func (l *servedListener) leave() {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.loop.users--; l.loop.users == 0 {
		s.drains.loops = slices.DeleteFunc(s.drains.loops, func(o *acceptLoop) bool { return o == l.loop })
		close(l.loop.ended)
	}
	s.ln = slices.DeleteFunc(s.ln, func(o net.Listener) bool { return o == net.Listener(l) })
}

// sameListener compares listeners. A wrapper may be passed by value and hold a
// function, which == does not compare but panics: then the address has to do.
func sameListener(a, b net.Listener) bool {
	if reflect.ValueOf(a).Comparable() {
		return a == b
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) && addrOf(a) == addrOf(b)
}

// Accept is the listener's. After the stop it empties the queue, closes the
// listener and returns io.EOF.
func (l *servedListener) Accept() (net.Conn, error) {
	d := l.s.currentDrain()
	if d.mode.Load() < modeStopped {
		c, err := l.Listener.Accept()
		if err == nil && d != l.s.currentDrain() {
			// The drain has ended meanwhile, without waiting for this listener.
			_ = c.Close()
			return nil, io.EOF
		}
		if err == nil || d.mode.Load() < modeStopped {
			return c, err
		}
	}
	l.afterStop = true
	return l.loop.acceptLast(d)
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
