package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// longest bounds whatever waits in here, so that no process is left behind.
const longest = 40 * time.Second

// env is what a stand gets from the command line, and how it talks to the test.
type env struct {
	addr    string
	context time.Duration
	tls     *tls.Config // nil for plain text
	signal  chan os.Signal

	stop     sync.Once
	stopping chan struct{} // closed at the stop
}

func newEnv(addr string, within time.Duration, conf *tls.Config) *env {
	e := &env{addr: addr, context: within, tls: conf, signal: make(chan os.Signal, 1), stopping: make(chan struct{})}
	signal.Notify(e.signal, syscall.SIGTERM)
	return e
}

var stdout sync.Mutex

// event is a line on standard output, which the test reads.
type event struct {
	Event string        `json:"event"`
	ID    string        `json:"id,omitempty"`
	Addr  string        `json:"addr,omitempty"`
	Error string        `json:"error,omitempty"`
	Took  time.Duration `json:"took,omitempty"`
	OK    bool          `json:"ok,omitempty"`
	Text  string        `json:"text,omitempty"`
}

func say(e event) {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	stdout.Lock()
	defer stdout.Unlock()
	_, _ = os.Stdout.Write(append(text, '\n'))
}

// listen is a TCP listener on the address of the command line.
func (e *env) listen() (net.Listener, error) { return net.Listen("tcp4", e.addr) }

// secure puts TLS over a listener, if the stop is to be one of TLS.
func (e *env) secure(ln net.Listener) net.Listener {
	if e.tls == nil {
		return ln
	}
	return tls.NewListener(ln, e.tls)
}

// listening tells the test where to connect to.
func listening(ln net.Listener) { say(event{Event: "listening", Addr: ln.Addr().String()}) }

// await waits for SIGTERM.
func (e *env) await() {
	select {
	case <-e.signal:
	case <-time.After(longest):
	}
	e.stops()
}

// stops says that the stop begins.
func (e *env) stops() {
	e.stop.Do(func() {
		say(event{Event: "stopping"})
		close(e.stopping)
	})
}

// shutdown awaits SIGTERM and stops.
func (e *env) shutdown(stop func(context.Context) error) {
	e.await()
	ctx, cancel := context.WithTimeout(context.Background(), e.context)
	defer cancel()
	begun := time.Now()
	returned(stop(ctx), time.Since(begun))
}

func returned(err error, took time.Duration) {
	ev := event{Event: "returned", Took: took}
	if err != nil {
		ev.Error = err.Error()
	}
	say(ev)
}

// serve is the usual main: Serve in a goroutine, Shutdown on SIGTERM.
func (e *env) serve(srv *fasthttp.Server, lns ...net.Listener) error {
	served := make(chan error, len(lns))
	for i, ln := range lns {
		go func() { served <- srv.Serve(ln) }()
		if i == 0 {
			listening(ln)
		}
	}
	e.shutdown(srv.ShutdownWithContext)
	account(srv)
	return nil
}

// handle answers with the request's id, at once or, under /wait, 100 ms after the
// stop has begun.
func (e *env) handle(ctx *fasthttp.RequestCtx) {
	id := string(ctx.QueryArgs().Peek("id"))
	e.run(id, string(ctx.Path()))
	ctx.Response.Header.Set("X-Id", id)
	ctx.SetBodyString("ok")
}

func (e *env) run(id, path string) {
	say(event{Event: "running", ID: id})
	if path == "/wait" {
		select {
		case <-e.stopping:
			time.Sleep(100 * time.Millisecond)
		case <-time.After(longest):
		}
	}
	say(event{Event: "executed", ID: id})
}

// remain keeps the process until the test closes standard input, as a process
// that has something else to do than HTTP.
func remain() {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = os.Stdin.Read(make([]byte, 1))
	}()
	select {
	case <-gone:
	case <-time.After(longest):
	}
}
