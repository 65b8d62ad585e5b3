// Command snapshot measures what it takes to look at a patched server that has
// many connections: ConnStats, and a whole Prometheus scrape. The connections
// are in memory, as there are more of them than a machine has ports.
//
// If it is built with the copy that bench makes for it, it measures how long
// looking holds the locks that a new connection waits for, too.
package main

import (
	"encoding/json"
	"expvar"
	"flag"
	"log"
	"net"
	"os"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/bench/internal/lockholds"
	"github.com/fastdrain/fastdrain/bench/internal/scrape"
)

// result is what the command writes, as JSON. Times are in seconds.
type result struct {
	Connections int
	Snapshot    []float64 // each look
	Scrape      []float64
	HoldP99     *float64 `json:",omitempty"`
	HoldMax     *float64 `json:",omitempty"`
}

func main() {
	n := flag.Int("connections", 1000, "have `N` connections")
	looks := flag.Int("looks", 20, "look at least `N` times")
	flag.Parse()

	ln := &listener{accepts: make(chan net.Conn), stopped: make(chan struct{})}
	s := &fasthttp.Server{
		Handler:           func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("Hello, World!") },
		ReduceMemoryUsage: true, // what an idle connection holds is not the point
		Concurrency:       *n + 1,
	}
	go func() { log.Fatal(s.Serve(ln)) }()
	for range *n {
		ln.accepts <- &conn{unread: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"}
	}
	for s.ConnStats().Idle != *n {
		time.Sleep(10 * time.Millisecond)
	}

	scraped := scrape.Of(s, false)
	holds, _ := expvar.Get(lockholds.Name).(expvar.Func)
	if holds != nil {
		holds.Value() // reading it begins anew
	}
	r := result{Connections: *n}
	r.Snapshot = measure(*looks, func() {
		if got := s.ConnStats().Open; got != *n {
			log.Fatalf("%d connections, want %d", got, *n)
		}
	})
	r.Scrape = measure(*looks, func() {
		if err := scraped(); err != nil {
			log.Fatal(err)
		}
	})
	if holds != nil {
		q := holds.Value().([2]float64)
		r.HoldP99, r.HoldMax = &q[0], &q[1]
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		log.Fatal(err)
	}
}

// measure calls f at least n times, and for a quarter of a second.
func measure(n int, f func()) []float64 {
	var times []float64
	for begin := time.Now(); len(times) < n || time.Since(begin) < time.Second/4; {
		at := time.Now()
		f()
		times = append(times, time.Since(at).Seconds())
	}
	return times
}

// listener hands connections over.
type listener struct {
	accepts chan net.Conn
	stopped chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepts:
		return c, nil
	case <-l.stopped:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { close(l.stopped); return nil }
func (l *listener) Addr() net.Addr { return local }

var (
	local = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
	never = make(chan struct{})
)

// conn is a connection whose client sends one request and then waits.
type conn struct{ unread string }

func (c *conn) Read(p []byte) (int, error) {
	if c.unread == "" {
		<-never
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

func (c *conn) Write(p []byte) (int, error)      { return len(p), nil }
func (c *conn) Close() error                     { return nil }
func (c *conn) LocalAddr() net.Addr              { return local }
func (c *conn) RemoteAddr() net.Addr             { return local }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
