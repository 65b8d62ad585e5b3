//go:build unix

package drainrun_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainrun"
)

// bound is for what hangs.
const bound = 20 * time.Second

// service is a server that Run runs in the test's process.
type service struct {
	t    *testing.T
	srv  *fasthttp.Server
	ln   net.Listener
	done chan error // what Run returned
	log  record

	parked   chan struct{} // receives when a handler waits
	release  chan struct{} // lets them go on
	draining chan struct{} // closed when the listeners are
}

type record struct {
	mu    sync.Mutex
	lines []string
}

func (r *record) Printf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

func newService(t *testing.T) *service {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, ln: ln, done: make(chan error, 1),
		parked: make(chan struct{}), release: make(chan struct{}), draining: make(chan struct{})}
	s.srv = &fasthttp.Server{Logger: &s.log, Handler: func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) == "/park" {
			s.parked <- struct{}{}
			<-s.release
		}
		ctx.SetBodyString("hello")
	}}
	var once sync.Once
	s.srv.Drain.OnPhase = func(p fasthttp.DrainPhase) {
		if p == fasthttp.PhaseDraining {
			once.Do(func() { close(s.draining) })
		}
	}
	return s
}

func (s *service) run(o drainrun.Options) {
	go func() { s.done <- drainrun.Run(s.srv, func() error { return s.srv.Serve(s.ln) }, o) }()
}

// request sends a request on a new connection and returns its response later.
func (s *service) request(path string) <-chan error {
	s.t.Helper()
	conn, err := net.Dial("tcp4", s.ln.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(bound))
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		s.t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() {
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && res.StatusCode != 200 {
			err = errors.New(res.Status)
		}
		answer <- err
	}()
	return answer
}

func (s *service) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		s.t.Fatal(err)
	}
}

func await[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(bound):
		t.Fatalf("%s did not come within %v", what, bound)
		panic("unreachable")
	}
}

func TestSignalDrainsAndSaysNothingWrong(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		s := newService(t)
		s.run(drainrun.Options{})
		answer := s.request("/park")
		await(t, "the request", s.parked)
		s.signal(sig)
		await(t, "the drain", s.draining)
		close(s.release)
		if err := await(t, "the answer", answer); err != nil {
			t.Errorf("%v: the running request was lost: %v", sig, err)
		}
		if err := await(t, "the end of Run", s.done); err != nil {
			t.Errorf("%v: %v", sig, err)
		}
		if log := s.log.String(); !strings.Contains(log, "drain graceful in") || !strings.Contains(log, sig.String()) {
			t.Errorf("%v: the log says %q", sig, log)
		}
	}
}

func TestDrainThatTakesTooLongIsAnError(t *testing.T) {
	s := newService(t)
	s.run(drainrun.Options{Grace: 100 * time.Millisecond})
	s.request("/park")
	await(t, "the request", s.parked)
	defer close(s.release)
	s.signal(syscall.SIGTERM)
	err := await(t, "the end of Run", s.done)
	var drain *drainrun.DrainError
	if !errors.As(err, &drain) || !errors.Is(err, context.DeadlineExceeded) || drain.Report.Verdict() != "timed_out" {
		t.Errorf("Run returned %v, want a DrainError of a drain that timed out", err)
	}
	if log := s.log.String(); !strings.Contains(log, "still open: 127.0.0.1:") {
		t.Errorf("the log does not name the connection: %q", log)
	}
	if log := s.log.String(); strings.Count(log, "still running: 1 in ") != 2 || !strings.Contains(log, "newService.func1 (") || !strings.Contains(log, "chan receive") {
		t.Errorf("the log does not name the function, at half of the grace and at the end: %q", log)
	}
}

func TestSecondSignalEndsTheDrain(t *testing.T) {
	s := newService(t)
	s.srv.Drain.ForceClose = true
	s.run(drainrun.Options{Grace: time.Hour})
	answer := s.request("/park")
	await(t, "the request", s.parked)
	defer close(s.release)
	s.signal(syscall.SIGTERM)
	await(t, "the drain", s.draining)
	s.signal(syscall.SIGTERM)
	err := await(t, "the end of Run", s.done)
	var drain *drainrun.DrainError
	if !errors.As(err, &drain) || !errors.Is(err, drainrun.ErrSecondSignal) || drain.Report.Verdict() != "forced" {
		t.Errorf("Run returned %v, want a DrainError of a drain that was forced by a second signal", err)
	}
	if err := await(t, "the end of the connection", answer); err == nil {
		t.Error("the parked request was answered")
	}
}

// A signal that comes before the server listens must not be lost, and what is
// begun after it must not go on.
func TestSignalBeforeServe(t *testing.T) {
	s := newService(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	shutdown := make(chan struct{}, 1)
	go func() {
		s.done <- drainrun.Run(s.srv, func() error {
			close(begun)
			<-goOn
			return s.srv.Serve(s.ln)
		}, drainrun.Options{Shutdown: func(ctx context.Context) error {
			defer func() { shutdown <- struct{}{} }()
			return s.srv.ShutdownWithContext(ctx)
		}})
	}()
	await(t, "serve", begun)
	s.signal(syscall.SIGTERM)
	await(t, "the Shutdown that has nothing to close", shutdown)
	close(goOn)
	if err := await(t, "the end of Run", s.done); err != nil {
		t.Error(err)
	}
	if len(shutdown) != 0 {
		t.Error("the framework's Shutdown was called twice")
	}
}

// A function that serves nothing here and does not return, as that of a prefork
// master, is no graceful stop. Nor is one that goes on after its drain.
func TestServeThatGoesOnIsAnError(t *testing.T) {
	for _, serves := range []bool{false, true} {
		s := newService(t)
		// The drain itself has all the time that it takes, and ends before the grace counts.
		shutdown := func(context.Context) error { return s.srv.Shutdown() }
		begun, goOn := make(chan struct{}), make(chan struct{})
		go func() {
			s.done <- drainrun.Run(s.srv, func() error {
				close(begun)
				var err error
				if serves {
					err = s.srv.Serve(s.ln)
				}
				<-goOn
				return err
			}, drainrun.Options{Grace: 100 * time.Millisecond, Shutdown: shutdown})
		}()
		await(t, "serve", begun)
		if serves {
			await(t, "an answer", s.request("/"))
		}
		s.signal(syscall.SIGTERM)
		err := await(t, "the end of Run", s.done)
		var drain *drainrun.DrainError
		if !errors.Is(err, drainrun.ErrServeGoesOn) || !errors.As(err, &drain) {
			t.Errorf("it serves: %v; Run returned %v, want ErrServeGoesOn in a DrainError", serves, err)
		}
		if totals := s.srv.DrainTotals(); serves && totals.Drains != 1 {
			t.Errorf("%d drains, want one stop", totals.Drains)
		}
		close(goOn)
		_ = s.ln.Close()
	}
}

func TestErrorOfServeEndsRun(t *testing.T) {
	s := newService(t)
	defer s.ln.Close()
	inUse := errors.New("address already in use")
	go func() { s.done <- drainrun.Run(s.srv, func() error { return inUse }, drainrun.Options{}) }()
	if err := await(t, "the end of Run", s.done); err != inUse {
		t.Errorf("Run returned %v, want the error of Serve", err)
	}
	if log := s.log.String(); strings.Contains(log, "drain") {
		t.Errorf("the log speaks of a drain: %q", log)
	}
}

// Serve returns when the listeners are closed; the drain goes on.
func TestShutdownOfSomebodyElseIsWaitedFor(t *testing.T) {
	s := newService(t)
	s.run(drainrun.Options{})
	answer := s.request("/park")
	await(t, "the request", s.parked)
	go s.srv.Shutdown()
	await(t, "the drain", s.draining)
	select {
	case err := <-s.done:
		t.Fatalf("Run returned (%v) before the last request was answered", err)
	case s.release <- struct{}{}:
	}
	if err := await(t, "the answer", answer); err != nil {
		t.Errorf("the running request was lost: %v", err)
	}
	if err := await(t, "the end of Run", s.done); err != nil {
		t.Error(err)
	}
}
