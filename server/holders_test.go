package fasthttp_test

import (
	"bufio"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

// The handlers of TestHoldersNamesTheFunction: each waits in one way.
type culprits struct {
	lock   sync.Mutex
	goOn   chan struct{}
	socket net.Conn
}

func (c *culprits) locks()    { c.lock.Lock(); c.lock.Unlock() } //nolint:staticcheck
func (c *culprits) receives() { <-c.goOn }
func (c *culprits) selects() {
	select {
	case <-c.goOn:
	case <-time.After(time.Hour):
	}
}
func (c *culprits) reads()  { _, _ = c.socket.Read(make([]byte, 1)) }
func (c *culprits) sleeps() { c.nap() }

func (c *culprits) nap() {
	for {
		select {
		case <-c.goOn:
			return
		default:
			time.Sleep(time.Millisecond)
		}
	}
}

func (c *culprits) writes(w *bufio.Writer) { _, _ = w.WriteString("x"); _ = w.Flush(); <-c.goOn }

func (c *culprits) hijacks(net.Conn) { <-c.goOn }

func (c *culprits) late(*fasthttp.RequestCtx) { <-c.goOn }

func (c *culprits) serve(ctx *fasthttp.RequestCtx) {
	switch string(ctx.Path()) {
	case "/lock":
		c.locks()
	case "/receive":
		c.receives()
	case "/select":
		c.selects()
	case "/read":
		c.reads()
	case "/sleep":
		c.sleeps()
	case "/write":
		ctx.SetBodyStreamWriter(c.writes)
	case "/hijack":
		ctx.Hijack(c.hijacks)
	case "/late":
		fasthttp.TimeoutHandler(c.late, time.Millisecond, "late")(ctx)
	}
}

// Holders names the application's function that is nearest to the server, how many
// goroutines are in it, and what they wait in.
func TestHoldersNamesTheFunction(t *testing.T) {
	ours, theirs := net.Pipe()
	c := &culprits{goOn: make(chan struct{}), socket: ours}
	c.lock.Lock()
	ln := fasthttputil.NewInmemoryListener()
	srv := &fasthttp.Server{Handler: fasthttp.CompressHandler(c.serve)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	var clients sync.WaitGroup
	conns := []net.Conn{}
	for _, path := range []string{"/lock", "/receive", "/receive", "/select", "/read", "/sleep", "/write", "/hijack", "/late", "/none"} {
		conn, err := ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		clients.Go(func() {
			_, _ = conn.Write([]byte("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"))
			b := make([]byte, 4<<10)
			for err := error(nil); err == nil; {
				_, err = conn.Read(b)
			}
		})
	}
	const pkg = "github.com/valyala/fasthttp_test.(*culprits)."
	seen := func() (lines []string) {
		for _, h := range srv.Holders("github.com/valyala/fasthttp_test") {
			name, ours := strings.CutPrefix(h.Function, pkg)
			if !ours {
				t.Errorf("a function that is none of the application's handlers: %v", h)
			}
			if !strings.HasSuffix(h.File, "holders_test.go") || h.Line == 0 {
				t.Errorf("%v is not where it is", h)
			}
			lines = append(lines, strings.TrimSpace(strings.Join([]string{string(rune('0' + h.Goroutines)), name, h.Waits}, " ")))
		}
		slices.Sort(lines)
		return lines
	}
	want := []string{
		"1 hijacks chan receive", "1 late chan receive", "1 serve github.com/valyala/fasthttp_test.(*culprits).selects",
		"1 serve net.(*pipe).read", "1 serve sync.(*Mutex).Lock", "1 serve time.Sleep", "1 writes chan receive",
		"2 serve github.com/valyala/fasthttp_test.(*culprits).receives",
	}
	got := seen()
	for end := time.Now().Add(30 * time.Second); !slices.Equal(got, want) && time.Now().Before(end); got = seen() {
		time.Sleep(time.Millisecond)
	}
	if !slices.Equal(got, want) {
		t.Errorf("holders:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	close(c.goOn)
	c.lock.Unlock()
	_ = theirs.Close()
	for _, conn := range conns {
		_ = conn.Close()
	}
	clients.Wait()
	if err := srv.Shutdown(); err != nil {
		t.Error(err)
	}
	<-served
}
