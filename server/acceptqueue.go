package fasthttp

import (
	"io"
	"net"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fasthttp/internal/acceptqueue"
)

// acceptTime bounds the emptying of an accept queue that clients refill.
const acceptTime = time.Second

// acceptLoop is a listener that Serve is accepting from. users, guarded by
// Server.mu, counts the Serve calls on it; ended is closed after the last.
type acceptLoop struct {
	ln    net.Listener
	queue *acceptqueue.Queue
	users int
	ended chan struct{}
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
		s.drains.loops = append(s.drains.loops, &acceptLoop{ln: ln, queue: acceptqueue.New(ln), ended: make(chan struct{})})
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
	c, err := l.loop.queue.Accept()
	if err == nil && d != l.s.currentDrain() {
		_ = c.Close()
		return nil, io.EOF
	}
	return c, err
}

// closeListeners has the accept loops empty and close their listeners, and waits
// for them; it closes those of loops that do not end. An error that says a
// listener is closed already is none: that is what a stop is for.
func (s *Server) closeListeners(d *drain, loops []*acceptLoop) {
	until := d.stopAt.Add(d.fits(acceptTime))
	var opening sync.WaitGroup
	for _, l := range loops {
		opening.Go(func() { l.queue.Open(until, d.giveUp) })
	}
	opening.Wait()
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
		d.queues = append(d.queues, ListenerReport(report))
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
