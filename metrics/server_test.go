package metrics_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// bound is how long anything in these tests may take before it counts as hung.
const bound = 30 * time.Second

// testServer is a server on loopback with a handler that a test can hold: a
// request for /park is answered when unpark is called, one for /hold when letGo is.
type testServer struct {
	*fasthttp.Server
	t      testing.TB
	addr   string
	parked chan struct{} // one for each request that has been parked, or held
	unpark func()
	letGo  func()
	phases chan fasthttp.DrainPhase
	served chan error
}

func startServer(t testing.TB) *testServer {
	t.Helper()
	release, held := make(chan struct{}), make(chan struct{})
	s := &testServer{
		t:      t,
		parked: make(chan struct{}, 100),
		unpark: sync.OnceFunc(func() { close(release) }),
		letGo:  sync.OnceFunc(func() { close(held) }),
		phases: make(chan fasthttp.DrainPhase, 100),
		served: make(chan error, 1),
	}
	s.Server = &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			switch string(ctx.Path()) {
			case "/park":
				s.parked <- struct{}{}
				<-release
			case "/hold":
				s.parked <- struct{}{}
				<-held
			case "/hijack":
				ctx.Hijack(func(c net.Conn) {
					s.parked <- struct{}{}
					<-release
				})
			}
			ctx.SetBodyString("hello")
		},
		Logger:          discard{},
		CloseOnShutdown: true,
	}
	s.Drain.FinalRead = time.Second
	s.Drain.Hijacked = bound
	s.Drain.OnPhase = func(p fasthttp.DrainPhase) { s.phases <- p }
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	go func() { s.served <- s.Serve(ln) }()
	for end := time.Now().Add(bound); len(s.ListenerStats()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the server does not serve")
		}
	}
	t.Cleanup(func() {
		s.unpark()
		s.letGo()
		ctx, cancel := context.WithTimeout(context.Background(), bound)
		defer cancel()
		_ = s.ShutdownWithContext(ctx)
		_ = ln.Close()
	})
	return s
}

type discard struct{}

func (discard) Printf(string, ...any) {}

// shutdown begins a drain and returns where its result comes.
func (s *testServer) shutdown(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.ShutdownWithContext(ctx) }()
	return done
}

func (s *testServer) awaitPhase(want fasthttp.DrainPhase) {
	s.t.Helper()
	for {
		if p := await(s.t, "phase "+want.String(), s.phases); p == want {
			return
		}
	}
}

// awaitStats waits until the server's connections are as wanted, but for what
// depends on the time.
func (s *testServer) awaitStats(want fasthttp.ConnStats) {
	s.t.Helper()
	var have fasthttp.ConnStats
	for end := time.Now().Add(bound); time.Now().Before(end); time.Sleep(time.Millisecond) {
		have = s.ConnStats()
		have.OldestIdle = 0
		if have == want {
			return
		}
	}
	s.t.Fatalf("the connections are %+v, and did not become %+v", have, want)
}

// client is one keep-alive connection.
type client struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func (s *testServer) dial() *client {
	s.t.Helper()
	c, err := net.Dial("tcp4", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(bound)); err != nil {
		s.t.Fatal(err)
	}
	return &client{s.t, c, bufio.NewReader(c)}
}

// send sends requests in one write.
func (c *client) send(paths ...string) {
	c.t.Helper()
	var text strings.Builder
	for _, path := range paths {
		fmt.Fprintf(&text, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", path)
	}
	if _, err := io.WriteString(c, text.String()); err != nil {
		c.t.Fatalf("sending %s: %v", paths, err)
	}
}

// receive reads a response and says whether it was the connection's last.
func (c *client) receive() (lastOne bool) {
	c.t.Helper()
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("reading a response: %v", err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		c.t.Fatalf("reading a response's body: %v", err)
	}
	return res.Close
}

// awaitFIN reads until the server has closed, and closes.
func (c *client) awaitFIN() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err == nil {
		c.t.Fatalf("received %q where the server should close", b)
	} else if !strings.Contains(err.Error(), "EOF") {
		c.t.Fatalf("waiting for FIN: %v", err)
	}
	c.Close()
}

func await[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(bound):
		t.Fatalf("%s did not come in %v", what, bound)
		panic("unreachable")
	}
}

// drained is a server whose drain has every kind of connection in it: parked in
// a handler, waiting, one with a final read, one that never sent, a hijacked one.
//
// What is served in the final read has been sent before the stop, behind a request that
// runs then: a client that sends in the window may be late for it on a busy machine.
type drained struct {
	*testServer
	parked, waits, sends, fresh *client
	done                        <-chan error
}

// openAtStop is how many of them the drain is about: the hijacked one has left.
const openAtStop = 4

func startDrained(t *testing.T) *drained {
	t.Helper()
	d := &drained{testServer: startServer(t)}
	d.parked, d.waits, d.sends, d.fresh = d.dial(), d.dial(), d.dial(), d.dial()
	d.waits.send("/")
	d.waits.receive()
	d.parked.send("/park")
	await(t, "the parked request", d.testServer.parked)
	d.sends.send("/hold", "/")
	await(t, "the held request", d.testServer.parked)
	hijacked := d.dial()
	hijacked.send("/hijack")
	hijacked.receive()
	await(t, "the hijack", d.testServer.parked)
	d.awaitStats(fasthttp.ConnStats{Open: 4, New: 1, Active: 2, Idle: 1, Hijacked: 1})
	return d
}

// begin begins the drain and comes back at a point where nothing moves: all
// connections but the parked one have been closed, and it holds the stop.
func (d *drained) begin(ctx context.Context) {
	d.t.Helper()
	d.done = d.shutdown(ctx)
	d.awaitPhase(fasthttp.PhaseDraining)
	d.letGo()
	if d.sends.receive() {
		d.t.Error("a response with a request behind it said 'Connection: close'")
	}
	if !d.sends.receive() {
		d.t.Error("the response of a final read did not say 'Connection: close'")
	}
	for _, c := range []*client{d.sends, d.waits, d.fresh} {
		c.awaitFIN()
	}
	d.awaitStats(fasthttp.ConnStats{Open: 1, Active: 1, Hijacked: 1})
}

// end lets the parked handler return and waits for the drain's end.
func (d *drained) end() fasthttp.DrainReport {
	d.t.Helper()
	d.unpark()
	d.parked.receive()
	d.parked.awaitFIN()
	if err := await(d.t, "the end of Shutdown", d.done); err != nil {
		d.t.Fatalf("Shutdown: %v", err)
	}
	d.awaitStats(fasthttp.ConnStats{})
	return d.DrainReport()
}
