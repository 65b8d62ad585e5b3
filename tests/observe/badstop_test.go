package observe

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/fastdrain/fastdrain/internal/process"
)

// timedOutWithALateClient stops a server whose handler does not end, and one of
// whose clients sends a request after the server's FIN.
func (w *world) timedOutWithALateClient(t *testing.T) {
	s := w.stuck
	var idle []*client
	for range 3 {
		c := dial(t, s.addr, &s.ledger)
		c.get(t, "/", false)
		idle = append(idle, c)
	}
	held := dial(t, s.addr, &s.ledger)
	if err := held.send("/hold"); err != nil {
		t.Fatal(err)
	}
	receiveOne(t, "a request to be held", s.held)
	s.settle(t, fasthttp.ConnStats{Open: 4, Active: 1, Idle: 3})
	// increase() wants a sample from before.
	w.scraped(t, "stuck")

	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	stopped := s.stop(ctx)
	s.enter(t, fasthttp.PhaseDraining)
	for _, c := range idle[1:] {
		c.conn.SetDeadline(time.Now().Add(bound))
		if err := c.awaitFIN(); err != nil {
			t.Fatalf("an idle connection: %v", err)
		}
	}
	tooLate := idle[0]
	tooLate.conn.SetDeadline(time.Now().Add(bound))
	if b, err := tooLate.br.ReadByte(); err == nil {
		t.Fatalf("byte %q instead of FIN", b)
	}
	if err := tooLate.send("/"); err != nil {
		t.Fatalf("sending after FIN: %v", err)
	}
	tooLate.conn.Close()
	s.settle(t, fasthttp.ConnStats{Open: 1, Active: 1})
	giveUp()
	if err := receiveOne(t, "the shutdown", stopped); !errors.Is(err, context.Canceled) {
		t.Fatalf("the shutdown: %v; want that its context was cancelled", err)
	}
	report := s.DrainReport()
	if report.Verdict() != "timed_out" || report.Late != 1 || report.Outcomes.LeftOpen != 1 {
		t.Errorf("the report: %v; want it timed out, one connection late, one left open", report)
	}
	check(t, w.prometheus, w.scraped(t, "stuck"), account("stuck", report, "%s"))
}

// endedAfterItsDrain lets a process drain and end: what Prometheus has of it is
// what its last words were.
func (w *world) endedAfterItsDrain(t *testing.T) {
	c := w.ends
	target := `{server="child", instance="` + c.metrics + `"}`
	a, b := dial(t, c.addr, &c.ledger), dial(t, c.addr, &c.ledger)
	a.get(t, "/", false)
	b.get(t, "/", false)
	w.scrapedSeries(t, "fasthttp_server_open_connections"+target)
	c.terminate(t)
	w.awaitValue(t, "fasthttp_server_stop_seen_connections"+target, 2)
	a.get(t, "/", true)
	b.leave()
	report := c.report(t)
	if report.FinalReadServed != 1 || report.Outcomes.ClientClosed != 1 || report.Verdict() != "graceful" {
		t.Errorf("the report: %v; want one final read served, one connection closed by the client, graceful", report)
	}
	c.Wait(bound)
	if c.Exit() != process.ExitClean {
		t.Errorf("the child ended with %s", c.Exit())
	}
	// The child has seen its last scrape begin and end. That Prometheus has taken it in
	// comes later.
	w.awaitValue(t, `last_over_time(fasthttp_server_drain_phase{server="child", phase="stopped", instance="`+c.metrics+`"}[10m])`, 1)
	// The series of the two children differ by their instance.
	wrap := `last_over_time(%s[10m]) and on (instance) last_over_time(fasthttp_server_open_connections` + target + `[10m])`
	check(t, w.prometheus, time.Now(), account("child", report, wrap))
}

// killedInItsDrain kills a process that drains, as a platform does at the end of
// the grace period.
func (w *world) killedInItsDrain(t *testing.T) {
	c := w.killed
	held := dial(t, c.addr, &c.ledger)
	if err := held.send("/hold"); err != nil {
		t.Fatal(err)
	}
	if line := c.line(t, "that a request is held"); line != "held" {
		t.Fatalf("the child said %q", line)
	}
	c.terminate(t)
	phase := `fasthttp_server_drain_phase{server="child", phase="draining", instance="` + c.metrics + `"}`
	w.awaitValue(t, phase, 1)
	c.Kill()
	await(t, "Prometheus to miss the process", func() bool {
		got, err := w.prometheus.At(t.Context(), phase, "", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return len(got) == 0
	})
}

// backlog is the length of the accept queue of the server "full"; the kernel
// takes one more.
const backlog = 4

// slowListener accepts when the gate is open.
type slowListener struct {
	net.Listener
	gate chan struct{}
}

func (l slowListener) Accept() (net.Conn, error) {
	<-l.gate
	return l.Listener.Accept()
}

func listenSlowly(t *testing.T) slowListener {
	t.Helper()
	ln := listen(t)
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	cerr := raw.Control(func(fd uintptr) { err = unix.Listen(int(fd), backlog) })
	if err := errors.Join(cerr, err); err != nil {
		t.Fatal(err)
	}
	return slowListener{ln, make(chan struct{})}
}

// acceptQueueFills connects clients that nobody accepts, and stops the server.
func (w *world) acceptQueueFills(t *testing.T) {
	s := w.full
	var clients []*client
	for range backlog {
		clients = append(clients, dial(t, s.addr, &s.ledger))
	}
	// A client may know of its connection before the kernel has it in the queue.
	await(t, "the accept queue to be full", func() bool { return s.ListenerStats()[0].Queue == backlog })
	at := w.scraped(t, "full")
	check(t, w.prometheus, at, []number{
		{`fasthttp_server_accept_queue_connections{server="full"}`, "listener", map[string]float64{s.addr: backlog}},
		{`fasthttp_server_accept_queue_limit_connections{server="full"}`, "listener", map[string]float64{s.addr: backlog}},
	})
	stopped := s.stop(t.Context())
	for _, c := range clients {
		c.get(t, "/", true)
	}
	if err := receiveOne(t, "the shutdown", stopped); err != nil {
		t.Fatalf("the shutdown: %v", err)
	}
	report := s.DrainReport()
	if report.Accepted != backlog || report.OpenAtStop != 0 {
		t.Errorf("%d connections open at the stop and %d accepted since; want 0 and %d: %+v",
			report.OpenAtStop, report.Accepted, backlog, report)
	}
	check(t, w.prometheus, w.scraped(t, "full"), account("full", report, "%s"))
}

// awaitValue waits until the one series of a selector has a value.
func (w *world) awaitValue(t *testing.T, selector string, want float64) {
	t.Helper()
	var got map[string]float64
	defer func() {
		if t.Failed() {
			t.Logf("%s: the last answer is %v; want %v", selector, got, want)
		}
	}()
	await(t, selector, func() bool {
		var err error
		if got, err = w.prometheus.At(t.Context(), selector, "", time.Now()); err != nil {
			t.Fatal(err)
		}
		v, ok := got[""]
		return ok && v == want
	})
}

// finite says whether a series has a number.
func finite(m model.Matrix) bool {
	for _, series := range m {
		for _, s := range series.Values {
			if s.Value == s.Value { // not NaN
				return true
			}
		}
	}
	return false
}
