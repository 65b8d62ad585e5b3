package fasthttp

import (
	"io"
	"net"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp/internal/acceptqueue"
)

// acceptTime bounds the emptying of an accept queue that clients refill.
const acceptTime = time.Second

// serveBound is how long a Serve that a drain has ended waits for that drain,
// from the stop on. A handler that calls Shutdown, or a main that ends its streams
// when Serve has returned, would make the two wait for each other.
const serveBound = 5 * time.Second

// acceptLoop is a listener that Serve is accepting from, or was when it failed:
// then it is still open. serves, guarded by Server.mu, are the Serve calls on it;
// ended is closed after the last.
type acceptLoop struct {
	ln     net.Listener
	queue  *acceptqueue.Queue
	serves []*servedListener
	ended  chan struct{}
}

// servedListener takes the listener's place in one call of Serve: its Accept is
// the drain's. Only the goroutine of that Serve uses it.
type servedListener struct {
	net.Listener

	s    *Server
	loop *acceptLoop

	// stopped is the drain that ended this Serve, or nil. Then the connection
	// accepted last was in the accept queue at the stop; any other that reaches
	// its worker after the stop was accepted before.
	stopped *drain

	closed bool   // the listener says so
	drain  *drain // that the connection accepted last belongs to
	shard  uint32 // that it goes to
	pool   *workerPool

	// inHand says that the loop has a connection, or its error, and is on the way
	// to a worker and back: a callback, a look at the address or a pause may take
	// it any time. It is stored by the Serve and loaded by the drain: a moment after
	// Accept has returned, so it does not tell of all.
	inHand atomic.Bool
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
	loop := &acceptLoop{ln: ln, ended: make(chan struct{})}
	switch at := slices.IndexFunc(s.drains.loops, func(l *acceptLoop) bool { return sameListener(l.ln, ln) }); {
	case at < 0:
		loop.queue = acceptqueue.New(ln, s.descriptors)
		s.drains.loops = append(s.drains.loops, loop)
	case len(s.drains.loops[at].serves) == 0: // it has failed, and tries again
		loop.queue = s.drains.loops[at].queue
		s.drains.loops[at] = loop
	default:
		loop = s.drains.loops[at]
	}
	served := &servedListener{Listener: ln, s: s, loop: loop}
	loop.serves = append(loop.serves, served)
	return served, served.leave
}

// leave is the last of a Serve. It takes the listener out, unless that is open
// still, for a drain to close. Where a drain has ended the Serve it waits for that:
// a program may end when Serve returns.
func (l *servedListener) leave() {
	s := l.s
	s.mu.Lock()
	l.loop.serves = slices.DeleteFunc(l.loop.serves, func(o *servedListener) bool { return o == l })
	if len(l.loop.serves) == 0 {
		if l.closed {
			s.drains.loops = slices.DeleteFunc(s.drains.loops, func(o *acceptLoop) bool { return o == l.loop })
		}
		close(l.loop.ended)
	}
	s.ln = slices.DeleteFunc(s.ln, func(o net.Listener) bool { return o == net.Listener(l) })
	s.mu.Unlock()
	if d := l.stopped; d != nil {
		timer := time.NewTimer(time.Until(d.stopAt.Add(serveBound)))
		defer timer.Stop()
		select {
		case <-d.finished:
		case <-timer.C:
		}
	}
}

// descriptors calls f with those of the connections.
func (s *Server) descriptors(f func(fd int)) {
	sc := newScrap()
	defer scraps.Put(sc)
	s.connTable().each(func(dc *drainConn) {
		if sock, _ := stream(dc.Conn); sock != nil && sc.control(sock, (*scrap).note) == nil {
			f(sc.fd)
		}
	})
}

// sameListener compares listeners. A wrapper that was passed by value and holds
// a function cannot be compared: it counts as another.
func sameListener(a, b net.Listener) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// Accept is the listener's. After the stop it empties the queue, closes the
// listener and returns io.EOF.
func (l *servedListener) Accept() (c net.Conn, err error) {
	l.inHand.Store(false)
	c, err = l.accept()
	l.inHand.Store(true)
	return c, err
}

func (l *servedListener) accept() (net.Conn, error) {
	d := l.s.currentDrain()
	if d != l.drain {
		l.drain = d
		if l.loop.queue.Ended() {
			// By a drain that has ended, without waiting for this loop.
			return nil, io.EOF
		}
	}
	if d.mode.Load() < modeStopped {
		// What comes after the drain, as the Close of the listener has not ended
		// its Accept, is served, as upstream serves it.
		c, err := l.Listener.Accept()
		if err == nil || d.mode.Load() < modeStopped {
			l.closed = err != nil && acceptqueue.SaysClosed(err)
			return c, err
		}
	}
	l.stopped = d
	return l.loop.queue.Accept()
}

// closeListeners has the accept loops empty and close their listeners, and waits
// for them; it closes those of loops that do not end, or have ended before. An
// error that says a listener is closed already is none: that is what a stop is for.
// Then no later drain finds them. A loop that goes on is waited for with the connections,
// and so is a Close: the kernel may have given it one already that nobody knows of yet.
// But the Accept of an unknown type may not return after the Close: its loop is waited
// for where it has one in hand.
func (s *Server) closeListeners(d *drain, loops []*acceptLoop) {
	until := d.stopAt.Add(d.fits(acceptTime))
	var opening sync.WaitGroup
	for _, l := range loops {
		opening.Go(func() { l.queue.Open(until, d.giveUp, s.accepts(l)) })
	}
	opened := make(chan struct{})
	go func() {
		opening.Wait()
		close(opened)
	}()
	select {
	case <-opened:
	case <-d.giveUp: // the look for others who have the socket takes its time
	}
	bound := time.NewTimer(time.Until(until) + deafGrace)
	defer bound.Stop()
	for _, l := range loops {
		select {
		case <-l.ended:
		case <-d.giveUp:
		case <-bound.C:
			bound.Reset(0)
		}
		report, err := l.queue.Close()
		d.mu.Lock()
		at := len(d.queues)
		d.queues = append(d.queues, ListenerReport(report))
		if d.err == nil {
			d.err = err
		}
		d.mu.Unlock()
		select {
		case <-l.queue.Closed():
		default:
			d.left.Add(1)
			go d.awaitClose(l.queue, at)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drains.loops = slices.DeleteFunc(s.drains.loops, func(l *acceptLoop) bool { return slices.Contains(loops, l) })
	for _, l := range loops {
		if len(l.serves) > 0 && l.queue.CloseWakes() || slices.ContainsFunc(l.serves, func(l *servedListener) bool { return l.inHand.Load() }) {
			d.left.Add(1)
			go func() {
				<-l.ended
				d.ended()
			}()
		}
	}
}

// awaitClose waits for the Close of a listener that takes its time, and has Shutdown
// wait: whoever gets its nil may take the address. Meanwhile the connections close.
func (d *drain) awaitClose(q *acceptqueue.Queue, at int) {
	<-q.Closed()
	report, err := q.Close()
	d.mu.Lock()
	d.queues[at] = ListenerReport(report)
	if d.err == nil {
		d.err = err
	}
	d.mu.Unlock()
	d.ended()
}

// accepts says whether a Serve accepts from the listener.
func (s *Server) accepts(l *acceptLoop) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(l.serves) > 0
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
