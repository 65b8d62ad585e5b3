package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// bound is how long the probe waits for what must happen: only a hang exceeds
// it. window is a final-read window that no wait of a client reaches.
const (
	bound  = 20 * time.Second
	window = 6 * time.Second
)

// rig is a server, its clients, and what was seen.
type rig struct {
	srv    *fasthttp.Server
	drain  settings
	addr   net.Addr
	served chan error // what each Serve returned

	held, gate chan struct{} // a handler of /held has begun, may go on
	accepted   chan struct{} // a connection was accepted
	active     chan struct{} // a request has begun
	idle       chan struct{} // a connection went idle
	full       chan struct{} // a response to /endless has filled buffers
	goOn       chan struct{} // it may fill the others

	stopSet  chan struct{} // closed when the stop has been set
	stopOnce sync.Once

	mu       sync.Mutex
	executed []string // paths, in order
	conns    []net.Conn
	atEnd    []func()
	seen     []string
	problems []string
}

// settings are those of Drain that the faults use; upstream has none.
type settings struct {
	lameDuck, finalRead, linger time.Duration
	reject                      bool
	onPhase                     func(phase string)
}

// errGiveUp ends a fault that cannot go on; the reason has been noted.
var errGiveUp = errors.New("the fault cannot go on")

func runFault(f fault) (out outcome) {
	before := takeInventory()
	r := &rig{
		srv:      &fasthttp.Server{MaxIdleWorkerDuration: 20 * time.Millisecond, Logger: silent{}},
		drain:    settings{finalRead: window, linger: 300 * time.Millisecond},
		served:   make(chan error, 4),
		held:     make(chan struct{}, 64),
		gate:     make(chan struct{}),
		accepted: make(chan struct{}, 1<<10),
		stopSet:  make(chan struct{}),
		active:   make(chan struct{}, 1<<10),
		idle:     make(chan struct{}, 1<<10),
		full:     make(chan struct{}),
		goOn:     make(chan struct{}),
	}
	r.srv.Handler = r.handle
	r.srv.ConnState = func(_ net.Conn, s fasthttp.ConnState) {
		event := r.active
		switch s {
		case fasthttp.StateActive:
		case fasthttp.StateNew:
			event = r.accepted
		case fasthttp.StateIdle:
			event = r.idle
		default:
			return
		}
		select {
		case event <- struct{}{}:
		default: // a pipeline; nobody waits for it
		}
	}
	func() {
		defer func() {
			if p := recover(); p != nil && p != errGiveUp {
				panic(p)
			}
		}()
		f.run(r)
	}()
	r.cleanUp()
	r.problems = append(r.problems, account(r.srv)...)
	r.problems = append(r.problems, before.left()...)
	return outcome{strings.Join(r.seen, "; "), r.problems}
}

type silent struct{}

func (silent) Printf(string, ...any) {}

func (r *rig) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, fmt.Sprintf(format, args...))
}

// giveUp ends the fault: the probe itself could not go on.
func (r *rig) giveUp(format string, args ...any) {
	r.mu.Lock()
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
	r.mu.Unlock()
	panic(errGiveUp)
}

func (r *rig) check(err error) {
	if err != nil {
		r.giveUp("%v", err)
	}
}

// cleanUp lets all handlers go, closes the clients and ends the server.
func (r *rig) cleanUp() {
	close(r.gate)
	for _, c := range r.conns {
		_ = c.Close()
	}
	for _, f := range r.atEnd {
		f()
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if err := r.srv.ShutdownWithContext(ctx); err != nil {
		r.problems = append(r.problems, fmt.Sprintf("the last Shutdown, with all clients gone: %v", err))
	}
}

// handle answers with the path of the request.
func (r *rig) handle(ctx *fasthttp.RequestCtx) {
	path := string(ctx.Path())
	r.mu.Lock()
	r.executed = append(r.executed, path)
	r.mu.Unlock()
	switch path {
	case "/held":
		r.held <- struct{}{}
		<-r.gate
	case "/more": // so that many of them take longer than a window
		time.Sleep(50 * time.Microsecond)
	case "/panic":
		r.held <- struct{}{}
		<-r.gate
		panic("a handler's")
	case "/endless":
		ctx.SetBodyStream(&endless{full: r.full, goOn: r.goOn}, -1)
		return
	}
	ctx.WriteString(path)
}

// ran says how often a path was executed.
func (r *rig) ran(path string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.executed {
		if p == path {
			n++
		}
	}
	return n
}

// endless is a response that fills every buffer, and waits on the way there.
type endless struct {
	full, goOn chan struct{}
	n          int
}

func (b *endless) Read(p []byte) (int, error) {
	if b.n++; b.n == 64 {
		close(b.full)
		<-b.goOn
	}
	clear(p)
	return len(p), nil
}

// serve begins to serve on a listener.
func (r *rig) serve(ln net.Listener) {
	onPhase := r.drain.onPhase
	r.drain.onPhase = func(phase string) {
		if phase == "closing_listeners" {
			r.noteStop()
		}
		if onPhase != nil {
			onPhase(phase)
		}
	}
	configure(r.srv, r.drain)
	r.addr = ln.Addr()
	go func() { r.served <- r.srv.Serve(ln) }()
}

func (r *rig) noteStop() { r.stopOnce.Do(func() { close(r.stopSet) }) }

// listen is serve on a TCP socket of its own.
func (r *rig) listen() {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	r.check(err)
	r.serve(ln)
}

// await waits for an event, the n-th of its kind.
func (r *rig) await(what string, event <-chan struct{}, n int) {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	for range n {
		select {
		case <-event:
		case <-timer.C:
			r.giveUp("waited %v for %s", bound, what)
		}
	}
}

// stopping is a Shutdown under way.
type stopping struct {
	r    *rig
	done chan struct{}
	err  error
}

// begin calls Shutdown.
func (r *rig) begin(ctx context.Context) *stopping {
	st := &stopping{r: r, done: make(chan struct{})}
	go func() {
		defer close(st.done)
		st.err = r.srv.ShutdownWithContext(ctx)
	}()
	return st
}

// stop calls Shutdown with a context that ends after some time, and returns when
// the listener has been closed: then the stop has been set, in both servers.
func (r *rig) stop(patience time.Duration) *stopping {
	st := r.beginFor(patience)
	r.awaitClosed()
	return st
}

func (r *rig) beginFor(patience time.Duration) *stopping {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	st := r.begin(ctx)
	go func() {
		<-st.done
		cancel()
	}()
	return st
}

// awaitClosed waits until the listener has been closed: upstream's Serve returns
// then, the patched one's drain says so.
func (r *rig) awaitClosed() {
	for end := time.Now().Add(bound); len(r.served) == 0 && !listenersClosed(r.srv); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.giveUp("the listener has not been closed in %v", bound)
		}
	}
}

// awaitServe waits until Serve returns.
func (r *rig) awaitServe(want error) {
	select {
	case err := <-r.served:
		if !errors.Is(err, want) {
			r.giveUp("Serve returned %v, want %v", err, want)
		}
	case <-time.After(bound):
		r.giveUp("Serve has not returned in %v", bound)
	}
}

// sayEnd waits for Shutdown and says what it returned.
func (st *stopping) sayEnd() { st.r.say("Shutdown: %s", st.end()) }

func (st *stopping) end() string {
	select {
	case <-st.done:
	case <-time.After(bound):
		st.r.giveUp("Shutdown has not returned in %v", bound)
	}
	switch {
	case st.err == nil:
		return "nil"
	case errors.Is(st.err, context.DeadlineExceeded):
		return "its context ended first"
	}
	return st.err.Error()
}

// runs says whether Shutdown has still to return.
func (st *stopping) runs() bool {
	select {
	case <-st.done:
		return false
	default:
		return true
	}
}
