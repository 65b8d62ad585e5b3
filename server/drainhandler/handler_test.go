package drainhandler

import (
	"bufio"
	"context"
	"encoding/json"
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

// served is a server on loopback whose handler is stuck until it is released.
type served struct {
	*fasthttp.Server
	t       *testing.T
	addr    string
	stuck   chan struct{} // one for each request that is stuck
	release func()
	phases  chan fasthttp.DrainPhase
}

func serve(t *testing.T) *served {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := make(chan struct{})
	s := &served{
		t:       t,
		addr:    ln.Addr().String(),
		stuck:   make(chan struct{}, 1000),
		release: sync.OnceFunc(func() { close(free) }),
		phases:  make(chan fasthttp.DrainPhase, 100),
	}
	s.Server = &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) == "/stuck" {
			s.stuck <- struct{}{}
			<-free
		}
	}}
	s.Drain.FinalRead = -1
	s.Drain.OnPhase = func(p fasthttp.DrainPhase) { s.phases <- p }
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	t.Cleanup(func() {
		s.release()
		ln.Close()
		await(t, "the end of Serve", ended)
	})
	return s
}

func await[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(bound):
		t.Fatalf("%s did not come in %v", what, bound)
		panic("unreachable")
	}
}

func (s *served) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp4", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// get sends a request and returns its connection. It waits for the response
// unless the handler is stuck, and for that otherwise.
func (s *served) get(path string) net.Conn {
	s.t.Helper()
	c := s.dial()
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", path)
	if path == "/stuck" {
		await(s.t, "the stuck request", s.stuck)
		return c
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// drain begins a drain and waits until it waits for the stuck handlers.
func (s *served) drain(ctx context.Context, open int) <-chan error {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.ShutdownWithContext(ctx) }()
	for await(s.t, "the phase draining", s.phases) != fasthttp.PhaseDraining {
	}
	s.awaitOpen(open)
	return done
}

func (s *served) awaitOpen(open int) {
	s.t.Helper()
	// A connection is counted before it can be listed, and 100 are listed at most.
	for end := time.Now().Add(bound); s.ConnStats().Open != open || len(s.Conns()) != min(open, 100); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("the connections are %+v, and did not become %d", s.ConnStats(), open)
		}
	}
}

// ask asks the handler for a page.
func ask(h fasthttp.RequestHandler, uri, accept string) *fasthttp.Response {
	var ctx fasthttp.RequestCtx
	ctx.Request.SetRequestURI(uri)
	if accept != "" {
		ctx.Request.Header.Set("Accept", accept)
	}
	h(&ctx)
	return &ctx.Response
}

func askJSON(t *testing.T, srv *fasthttp.Server) map[string]any {
	t.Helper()
	res := ask(New(srv), "/debug/drain?format=json", "")
	var status map[string]any
	if err := json.Unmarshal(res.Body(), &status); err != nil {
		t.Fatalf("the JSON does not parse: %v\n%s", err, res.Body())
	}
	return status
}

// wants looks for texts in a page, in their order.
func wants(t *testing.T, page []byte, texts ...string) {
	t.Helper()
	rest := string(page)
	for _, want := range texts {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("the page does not say %q (after what was found before). It is\n%s", want, page)
		}
		rest = after
	}
}

func TestPageNamesTheConnectionThatHoldsTheStop(t *testing.T) {
	s := serve(t)
	s.get("/")
	s.get("/")
	stuck := s.get("/stuck")
	s.awaitOpen(3)
	done := s.drain(context.Background(), 1)

	page := ask(New(s.Server), "/debug/drain", "").Body()
	wants(t, page, "Draining: draining", "1</strong> connection has", "What the drain waits for",
		`class="mark">`+stuck.LocalAddr().String()+"</td>", "active", "not seen", "open at the stop", ">3<", "closed idle", ">2<")

	status := askJSON(t, s.Server)
	drain := status["drain"].(map[string]any)
	conns := status["open"].([]any)
	if len(conns) != 1 {
		t.Fatalf("%d connections are listed: %v", len(conns), conns)
	}
	conn := conns[0].(map[string]any)
	if conn["remote_addr"] != stuck.LocalAddr().String() || conn["state"] != "active" || conn["stop_seen"] != false {
		t.Errorf("the stuck connection %v is listed as %v", stuck.LocalAddr(), conn)
	}
	if status["ready"] != false || status["phase"] != "draining" || drain["verdict"] != "" || drain["open_at_stop"] != 3.0 {
		t.Errorf("the status of the drain is %v", status)
	}

	outcomes := drain["outcomes"].(map[string]any)
	if len(outcomes) != 8 || outcomes["closed_idle"] != 2.0 {
		t.Errorf("the outcomes are %v", outcomes)
	}

	s.release()
	if err := await(t, "the end of Shutdown", done); err != nil {
		t.Fatal(err)
	}
	wants(t, ask(New(s.Server), "/debug/drain", "").Body(), "Drained: graceful", "Open connections", "None.")
	if drain := askJSON(t, s.Server)["drain"].(map[string]any); drain["verdict"] != "graceful" {
		t.Errorf("the drain that has ended is %v", drain)
	}
}

func TestPageOfAServerThatServes(t *testing.T) {
	s := serve(t)
	idle := s.get("/")
	active := s.get("/stuck")
	fresh := s.dial()
	s.awaitOpen(3)
	// A response may be read before its connection counts as idle.
	for end := time.Now().Add(bound); s.ConnStats().Idle != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the connections are %+v, and none became idle", s.ConnStats())
		}
	}
	page := ask(New(s.Server), "/debug/drain", "").Body()
	wants(t, page, "<h1>Serving</h1>", "Open connections")
	for _, c := range []net.Conn{idle, active, fresh} {
		wants(t, page, c.LocalAddr().String())
	}
	status := askJSON(t, s.Server)
	have := status["connections"].(map[string]any)
	for name, want := range map[string]float64{"open": 3, "new": 1, "active": 1, "idle": 1, "stop_seen": 0, "hijacked": 0} {
		if have[name] != want {
			t.Errorf("%s is %v, want %v", name, have[name], want)
		}
	}
	if status["drain"] != nil || status["ready"] != true || status["phase"] != "serving" {
		t.Errorf("the status is %v", status)
	}
}

func TestTimedOutDrainIsShownAsSuch(t *testing.T) {
	s := serve(t)
	stuck := s.get("/stuck")
	ctx, cancel := context.WithCancel(context.Background())
	done := s.drain(ctx, 1)
	cancel()
	await(t, "the end of Shutdown", done)
	wants(t, ask(New(s.Server), "/debug/drain", "").Body(), "Drained: timed out", "Open connections", stuck.LocalAddr().String())
}

func TestPageCountsHijackHandlers(t *testing.T) {
	s := serve(t)
	s.Drain.Hijacked = bound
	hijack := s.Handler
	s.Handler = func(ctx *fasthttp.RequestCtx) { ctx.Hijack(func(net.Conn) { hijack(ctx) }) }
	s.get("/stuck")
	done := s.drain(context.Background(), 0)
	wants(t, ask(New(s.Server), "/debug/drain", "").Body(), "Draining", "hijack handlers that have returned", ">0<", "that run", ">1<")
	s.release()
	await(t, "the end of Shutdown", done)
	wants(t, ask(New(s.Server), "/debug/drain", "").Body(), "Drained", "hijack handlers that have returned", ">1<", "that run", ">0<")
	account := askJSON(t, s.Server)["drain"].(map[string]any)
	if account["hijacked_returned"] != 1.0 || account["hijacked_left"] != 0.0 {
		t.Errorf("the account is %v, want one hijack handler that has returned", account)
	}
}

func TestPageSaysHowLongTheDrainMayTake(t *testing.T) {
	s := serve(t)
	s.get("/stuck")
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	s.drain(ctx, 1)
	left := askJSON(t, s.Server)["drain"].(map[string]any)["left_seconds"]
	if n, ok := left.(float64); !ok || n <= 0 || n > 3600 {
		t.Errorf("%v s are left of an hour", left)
	}
	wants(t, ask(New(s.Server), "/debug/drain", "").Body(), "since", "m", "s left.")

	// Somebody who waits for good.
	go func() { _ = s.Shutdown() }()
	for end := time.Now().Add(bound); askJSON(t, s.Server)["drain"].(map[string]any)["left_seconds"] != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the drain still has a time limit")
		}
	}
	wants(t, ask(New(s.Server), "/debug/drain", "").Body(), "without a time limit")
}

func TestPageSaysHowManyItDoesNotList(t *testing.T) {
	s := serve(t)
	for range 103 {
		s.get("/stuck")
	}
	s.awaitOpen(103)
	wants(t, ask(New(s.Server), "/debug/drain", "").Body(), "And 3 more.")
}

// hostile is a connection whose address is not what it should be.
type hostile struct{ net.Conn }

func (hostile) RemoteAddr() net.Addr { return hostileAddr{} }

type hostileAddr struct{}

func (hostileAddr) Network() string { return "tcp" }
func (hostileAddr) String() string  { return `<script>alert("1")</script>` }

func TestAddressesAreEscaped(t *testing.T) {
	s := serve(t)
	client, c := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- s.ServeConn(hostile{c}) }()
	s.awaitOpen(1)
	// The page waits only a moment for the address of a connection of an unknown type.
	for end := time.Now().Add(bound); ; time.Sleep(time.Millisecond) {
		page := string(ask(New(s.Server), "/debug/drain", "").Body())
		if strings.Contains(page, "<script") {
			t.Fatalf("an address is in the page as it is:\n%s", page)
		}
		if strings.Contains(page, "&lt;script&gt;") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the address is not in the page. It is\n%s", page)
		}
	}
	client.Close()
	await(t, "the end of ServeConn", ended)
}

func TestFormat(t *testing.T) {
	h := New(&fasthttp.Server{})
	for _, c := range []struct {
		name, uri, accept string
		status            int
		contentType       string
	}{
		{"a tool", "/", "", 200, "text/html; charset=utf-8"},
		{"a browser", "/", "text/html,application/xhtml+xml,*/*;q=0.8", 200, "text/html; charset=utf-8"},
		{"a tool that asks for JSON", "/", "application/json", 200, "application/json; charset=utf-8"},
		{"a browser that knows JSON", "/", "text/html,application/json", 200, "text/html; charset=utf-8"},
		{"JSON by name", "/?format=json", "text/html", 200, "application/json; charset=utf-8"},
		{"HTML by name", "/?format=html", "application/json", 200, "text/html; charset=utf-8"},
		{"no such format", "/?format=xml", "", 400, "text/plain; charset=utf-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := ask(h, c.uri, c.accept)
			if have := string(res.Header.ContentType()); res.StatusCode() != c.status || have != c.contentType {
				t.Errorf("%d %s, want %d %s", res.StatusCode(), have, c.status, c.contentType)
			}
			if have := string(res.Header.Peek("Cache-Control")); c.status == 200 && have != "no-store" {
				t.Errorf("Cache-Control is %q", have)
			}
		})
	}
}

func TestPageStandsAlone(t *testing.T) {
	s := serve(t)
	s.get("/stuck")
	s.drain(context.Background(), 1)
	page := string(ask(New(s.Server), "/debug/drain", "").Body())
	for _, asset := range []string{"http://", "https://", "src=", "<link", "<script", "url(", "@import"} {
		if strings.Contains(page, asset) {
			t.Errorf("the page has %q:\n%s", asset, page)
		}
	}
	wants(t, []byte(page), `name="viewport" content="width=device-width, initial-scale=1"`, `http-equiv="refresh"`)
}

func TestTimesAreReadable(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        "0s",
		1234 * time.Millisecond:  "1.2s",
		-time.Millisecond * 200:  "-200ms",
		83400 * time.Millisecond: "1m23s",
	} {
		if have := seconds(d).String(); have != want {
			t.Errorf("%v is shown as %q, want %q", d, have, want)
		}
	}
}
