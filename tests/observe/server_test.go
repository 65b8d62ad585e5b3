package observe

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/valyala/fasthttp"
)

// server is a server under test. A request for /hold is answered when the test
// lets one go.
type server struct {
	*fasthttp.Server
	addr   string
	held   chan struct{} // one for each request that is held
	letGo  chan struct{}
	phases chan fasthttp.DrainPhase
	ledger ledger
	served chan error
}

func newServer() *server {
	s := &server{
		held:   make(chan struct{}, 100),
		letGo:  make(chan struct{}),
		phases: make(chan fasthttp.DrainPhase, 10),
		served: make(chan error, 1),
	}
	s.Server = &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			if string(ctx.Path()) == "/hold" {
				s.held <- struct{}{}
				<-s.letGo
			}
			ctx.SetBodyString("hello")
		},
	}
	s.Drain.OnPhase = func(p fasthttp.DrainPhase) { s.phases <- p }
	return s
}

// serve begins to serve on ln. At the end of the test handlers that are still
// held are let go.
func (s *server) serve(t *testing.T, ln net.Listener) {
	t.Helper()
	s.addr = ln.Addr().String()
	go func() { s.served <- s.Serve(ln) }()
	await(t, "the server to serve", func() bool { return len(s.ListenerStats()) == 1 })
	t.Cleanup(func() {
		close(s.letGo)
		ctx, cancel := context.WithTimeout(context.Background(), bound)
		defer cancel()
		if err := s.ShutdownWithContext(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Logf("the last shutdown of %s: %v", s.addr, err)
		}
	})
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// stop begins a shutdown and returns where its error will come.
func (s *server) stop(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.ShutdownWithContext(ctx) }()
	return done
}

// enter waits for a phase of the drain.
func (s *server) enter(t *testing.T, want fasthttp.DrainPhase) {
	t.Helper()
	var seen []fasthttp.DrainPhase
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	for {
		select {
		case p := <-s.phases:
			if seen = append(seen, p); p == want {
				return
			}
		case <-ctx.Done():
			t.Fatalf("waited for the phase %v, saw %v", want, seen)
		}
	}
}

// settle waits until the server's connections are as the parked clients make
// them: it learns a moment after its client that a response is complete.
func (s *server) settle(t *testing.T, want fasthttp.ConnStats) {
	t.Helper()
	var got fasthttp.ConnStats
	defer func() {
		if t.Failed() {
			t.Logf("the last snapshot: %+v", got)
		}
	}()
	await(t, "the server to settle", func() bool {
		got = s.ConnStats()
		got.OldestIdle = 0
		return got == want
	})
}

// receiveOne waits for a value on ch.
func receiveOne[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	select {
	case v := <-ch:
		return v
	case <-ctx.Done():
		t.Fatalf("waited for %s", what)
		panic("unreachable")
	}
}
