package fasthttp_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/valyala/fasthttp"
)

// serve serves srv on a port of its own and returns its address.
func serve(srv *fasthttp.Server) string {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		if err := srv.Serve(ln); err != nil {
			log.Fatal(err)
		}
	}()
	return ln.Addr().String()
}

// get sends a request on a connection and returns the response.
func get(conn net.Conn) *http.Response {
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: example\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		log.Fatal(err)
	}
	return resp
}

// A request that arrives after the stop, on a connection that waits, is served,
// and its response asks the client to leave.
func ExampleServer_ShutdownWithContext() {
	draining := make(chan struct{})
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("hello") }}
	srv.Drain.FinalRead = 5 * time.Second // for this example, however slow its machine is
	srv.Drain.OnPhase = func(p fasthttp.DrainPhase) {
		if p == fasthttp.PhaseDraining {
			close(draining)
		}
	}
	conn, err := net.Dial("tcp4", serve(srv))
	if err != nil {
		log.Fatal(err)
	}
	get(conn)

	stopped := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		stopped <- srv.ShutdownWithContext(ctx)
	}()
	<-draining // the listener is closed
	resp := get(conn)
	fmt.Println(resp.Status, "close:", resp.Close)
	conn.Close()
	fmt.Println("Shutdown:", <-stopped)
	// Output:
	// 200 OK close: true
	// Shutdown: <nil>
}

// All settings can be left alone; these are the ones that are changed most.
func ExampleDrain() {
	srv := &fasthttp.Server{
		Drain: fasthttp.Drain{
			LameDuck:  5 * time.Second, // accept on, until everybody has seen Ready() == false
			FinalRead: 2 * fasthttp.DefaultFinalRead,
			Linger:    fasthttp.DefaultLinger,
			OnPhase:   func(p fasthttp.DrainPhase) { log.Println("drain:", p) },
		},
	}
	fmt.Println(srv.Drain.FinalRead)
	// Output: 1s
}

func ExampleDrainPhase() {
	for _, p := range []fasthttp.DrainPhase{
		fasthttp.PhaseServing,
		fasthttp.PhaseLameDuck,
		fasthttp.PhaseClosingListeners,
		fasthttp.PhaseDraining,
		fasthttp.PhaseStopped,
		fasthttp.PhaseTimedOut,
	} {
		fmt.Println(p.String())
	}
	// Output:
	// serving
	// lame_duck
	// closing_listeners
	// draining
	// stopped
	// timed_out
}

// For a readiness probe, on a listener that outlives the drain.
func ExampleServer_Ready() {
	srv := &fasthttp.Server{}
	probe := func(ctx *fasthttp.RequestCtx) {
		if !srv.Ready() {
			ctx.Error("draining", fasthttp.StatusServiceUnavailable)
		}
	}
	var ctx fasthttp.RequestCtx
	probe(&ctx)
	fmt.Println(ctx.Response.StatusCode())
	_ = srv.Shutdown()
	probe(&ctx)
	fmt.Println(ctx.Response.StatusCode())
	// Output:
	// 200
	// 503
}

func ExampleServer_ConnStats() {
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {}}
	conn, err := net.Dial("tcp4", serve(srv))
	if err != nil {
		log.Fatal(err)
	}
	get(conn)
	var stats fasthttp.ConnStats
	for stats.Idle == 0 { // the server may still be on its way to its next read
		stats = srv.ConnStats()
	}
	fmt.Printf("open %d: new %d, active %d, idle %d\n", stats.Open, stats.New, stats.Active, stats.Idle)
	conn.Close()
	_ = srv.Shutdown()
	// Output: open 1: new 0, active 0, idle 1
}

func ExampleServer_Conns() {
	running, done := make(chan struct{}), make(chan struct{})
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		close(running)
		<-done
	}}
	conn, err := net.Dial("tcp4", serve(srv))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: example\r\n\r\n")
	<-running
	for _, c := range srv.Conns() {
		open := fasthttp.OpenConn{State: c.State, RemoteAddr: c.RemoteAddr}
		fmt.Println(open.State, open.RemoteAddr == conn.LocalAddr().String(), time.Since(c.Since) < time.Hour)
	}
	close(done)
	conn.Close()
	_ = srv.Shutdown()
	// Output: active true true
}

// How full the accept queue of each listener is; it is known on Linux.
func ExampleServer_ListenerStats() {
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {}}
	conn, err := net.Dial("tcp4", serve(srv))
	if err != nil {
		log.Fatal(err)
	}
	get(conn)
	full := func(l fasthttp.ListenerStats) bool { return l.Known && l.Queue >= l.Backlog }
	for _, l := range srv.ListenerStats() {
		fmt.Println("full:", full(l))
	}
	conn.Close()
	_ = srv.Shutdown()
	// Output: full: false
}

// The account of a drain: each connection ends in exactly one way, and nothing
// is left out.
func ExampleServer_DrainReport() {
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {}}
	srv.Drain.FinalRead = -1 // do not wait for a last request
	conn, err := net.Dial("tcp4", serve(srv))
	if err != nil {
		log.Fatal(err)
	}
	get(conn)
	go func() { // the client leaves when the server says so
		_, _ = conn.Read(make([]byte, 1))
		conn.Close()
	}()
	_ = srv.Shutdown()

	report := srv.DrainReport()
	switch report.Verdict() {
	case fasthttp.VerdictGraceful:
		fmt.Println("every connection closed in its own time")
	case fasthttp.VerdictForced, fasthttp.VerdictTimedOut:
		log.Println(report.String())
	}
	fmt.Println(report.Outcomes.Total() == report.OpenAtStop+report.Accepted)
	// Output:
	// every connection closed in its own time
	// true
}

// The outcomes by the names that metrics give them.
func ExampleDrainOutcomes_Each() {
	outcomes := fasthttp.DrainOutcomes{ClosedIdle: 2, ClientClosed: 1}
	outcomes.Each(func(name string, n int) {
		if n > 0 {
			fmt.Println(name, n)
		}
	})
	// Output:
	// closed_idle 2
	// client_closed 1
}

// What a report holds, part by part.
func ExampleDrainReport() {
	var report fasthttp.DrainReport = new(fasthttp.Server).DrainReport()
	var outcomes fasthttp.DrainOutcomes = report.Outcomes
	var listeners []fasthttp.ListenerReport = report.Listeners
	fmt.Printf("%q %d\n", report.Verdict(), outcomes.Total())
	for _, l := range listeners {
		fmt.Println(l.Addr, l.Strategy, l.MayHaveReset())
	}
	// Output: "" 0
}

// Sums for counters, over all drains of a server.
func ExampleServer_DrainTotals() {
	srv := &fasthttp.Server{}
	_ = srv.Shutdown()
	var totals fasthttp.DrainTotals = srv.DrainTotals()
	fmt.Println(totals.Drains, totals.Graceful)
	// Output: 1 1
}

// report is a handler that somebody has to be found in.
func report(ctx *fasthttp.RequestCtx) { <-ctx.Done() }

// Which functions hold a stop?
func ExampleServer_Holders() {
	srv := &fasthttp.Server{Handler: report}
	addr := serve(srv)
	conn, err := net.Dial("tcp4", addr)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	var holder fasthttp.Holder
	for holder.Waits == "" {
		for _, h := range srv.Holders("github.com/valyala/fasthttp_test") {
			holder = h
		}
	}
	fmt.Println(holder.Goroutines, "in", holder.Function, "in", holder.Waits)
	if err := srv.Shutdown(); err != nil {
		log.Fatal(err)
	}
	// Output: 1 in github.com/valyala/fasthttp_test.report in chan receive
}
