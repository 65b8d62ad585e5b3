package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/tests/compat/client"
	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

const (
	// patience bounds a client before the stop, and what it may take after the context.
	patience, longer = 6 * time.Second, 500 * time.Millisecond
	// after is how long Shutdown may go on after its context, until it counts as stuck.
	after = 3 * time.Second
)

// stage is a draw under way.
type stage struct {
	d       draw.Draw
	srv     *fasthttp.Server
	tls     *tls.Config // nil for plain text
	stopped chan struct{}

	mu       sync.Mutex
	running  map[string]chan struct{}
	executed []string
	first    []string
}

func run(d draw.Draw) (r draw.Result) {
	s := &stage{d: d, stopped: make(chan struct{}), running: map[string]chan struct{}{}}
	watched := make(chan struct{})
	slow := watch(watched)
	defer func() {
		close(watched)
		r.Slow = <-slow
	}()

	s.srv = s.server()
	lns := make([]net.Listener, d.Listeners)
	served := make(chan struct{}, len(lns))
	for i := range lns {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		defer ln.Close()
		lns[i] = ln
		go func() {
			s.serve(ln)
			served <- struct{}{}
		}()
	}
	looked := make(chan struct{})
	go s.looks(looked)
	defer func() { <-looked }()

	var crowd sync.WaitGroup
	r.Outcomes = make([]client.Outcome, len(d.Clients)+len(d.Late))
	begin := func(scripts []client.Script, from int) {
		var ready sync.WaitGroup
		ready.Add(len(scripts))
		for i, script := range scripts {
			scene := client.Scene{
				Addr: lns[i%len(lns)].Addr().String(), Patience: patience, After: d.Context + longer, Stopped: s.stopped, Runs: s.runs,
			}
			crowd.Go(func() { r.Outcomes[from+i] = scene.Run(script, ready.Done) })
		}
		ready.Wait()
	}
	begin(d.Clients, 0)
	s.fence(lns)
	begin(d.Late, len(d.Clients))

	ctx, cancel := context.WithTimeout(context.Background(), d.Context)
	defer cancel()
	begun := time.Now()
	r.StopAt = begun.UnixNano()
	done := make(chan error, 1)
	go func() { done <- s.srv.ShutdownWithContext(ctx) }()
	close(s.stopped)
	bound, release := context.WithTimeout(context.Background(), d.Context+after)
	defer release()
	select {
	case err := <-done:
		r.Returned = true
		if err != nil {
			r.Err = err.Error()
		}
	case <-bound.Done():
	}
	r.Took = time.Since(begun)
	r.Account, r.Report = account(s.srv)
	crowd.Wait()
	for range lns {
		select {
		case <-served:
		case <-bound.Done():
			r.Serving = true
		}
	}
	for _, ln := range lns {
		if c, err := net.DialTimeout("tcp4", ln.Addr().String(), time.Second); err == nil {
			_ = c.Close()
			r.Listening = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Executed, r.DoneFirst = slices.Clone(s.executed), slices.Clone(s.first)
	return r
}

// server is the drawn one.
func (s *stage) server() *fasthttp.Server {
	conf := s.d.Server
	srv := &fasthttp.Server{
		Handler:            s.handle,
		ReduceMemoryUsage:  conf.ReduceMemoryUsage,
		StreamRequestBody:  conf.StreamRequestBody,
		CloseOnShutdown:    conf.CloseOnShutdown,
		Concurrency:        conf.Concurrency,
		MaxConnsPerIP:      conf.MaxConnsPerIP,
		MaxRequestsPerConn: conf.MaxRequestsPerConn,
		ReadTimeout:        conf.ReadTimeout,
		WriteTimeout:       conf.WriteTimeout,
		IdleTimeout:        conf.IdleTimeout,
		Logger:             quiet{},
	}
	if s.d.TLS != "" {
		cert := client.Certificate()
		s.tls = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			time.Sleep(conf.Certificate)
			return &cert, nil
		}}
	}
	if s.d.TLS == draw.ServeTLS {
		srv.TLSConfig = s.tls
	}
	if conf.ConnState > 0 {
		srv.ConnState = func(net.Conn, fasthttp.ConnState) { time.Sleep(conf.ConnState) }
	}
	set(srv, conf)
	return srv
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// serve serves on what is drawn.
func (s *stage) serve(ln net.Listener) {
	for _, name := range s.d.Listener {
		ln = wrapListener(name, ln, len(s.d.Clients)+1)
	}
	if s.d.TLS == draw.Below {
		ln = tls.NewListener(ln, s.tls)
	}
	if len(s.d.Conn) > 0 {
		ln = &wrappingListener{ln, func(c net.Conn) net.Conn {
			for _, name := range s.d.Conn {
				c = wrap(name, c)
			}
			return c
		}}
	}
	switch s.d.TLS {
	case draw.Above:
		_ = s.srv.Serve(tls.NewListener(ln, s.tls))
	case draw.ServeTLS:
		_ = s.srv.ServeTLS(ln, "", "")
	default:
		_ = s.srv.Serve(ln)
	}
}

// looks looks at the server until the stop and a moment longer.
func (s *stage) looks(done chan<- struct{}) {
	defer close(done)
	for end := time.Now().Add(5 * time.Second); s.d.Look && time.Now().Before(end); {
		look(s.srv)
		select {
		case <-s.stopped:
			end = time.Time{}
		case <-time.After(5 * time.Millisecond):
		}
	}
	if s.d.Look {
		look(s.srv)
	}
}

// runs returns a channel that is closed when the handler of a request runs.
func (s *stage) runs(id string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channel(id)
}

func (s *stage) channel(id string) chan struct{} {
	c, ok := s.running[id]
	if !ok {
		c = make(chan struct{})
		s.running[id] = c
	}
	return c
}

// handle answers at once, or under /wait a moment after the stop. It leaves a body
// alone under /leave.
func (s *stage) handle(ctx *fasthttp.RequestCtx) {
	id := string(ctx.QueryArgs().Peek("id"))
	s.mu.Lock()
	select {
	case <-ctx.Done():
		s.first = append(s.first, id)
	default:
	}
	select {
	case <-s.channel(id):
	default:
		close(s.channel(id))
	}
	s.mu.Unlock()
	switch string(ctx.Path()) {
	case "/wait":
		select {
		case <-s.stopped:
			time.Sleep(60 * time.Millisecond)
		case <-time.After(patience):
		}
	case "/read":
		if body := ctx.RequestBodyStream(); body != nil {
			_, _ = io.Copy(io.Discard, body)
		}
	}
	ctx.Response.Header.Set("X-Id", id)
	ctx.SetBodyString("ok")
	s.mu.Lock()
	s.executed = append(s.executed, id)
	s.mu.Unlock()
}

// fence has a client answered on each listener: by then those that connected before
// it have been accepted.
func (s *stage) fence(lns []net.Listener) {
	for _, ln := range lns {
		scene := client.Scene{Addr: ln.Addr().String(), Patience: patience / 3, After: patience / 3, Stopped: s.stopped, Runs: s.runs}
		script := client.Script{TLS: s.d.TLS != "", Steps: []client.Step{
			{Op: client.Send, Bytes: "GET /fast?id=fence HTTP/1.1\r\nHost: a\r\n\r\n"},
			{Op: client.Answers, N: 1},
			{Op: client.Leave},
		}}
		if len(s.d.Clients) > 0 {
			script.First = s.d.Clients[0].First
		}
		scene.Run(script, func() {})
	}
}

// watch says how late a timer was, at most.
func watch(done <-chan struct{}) <-chan time.Duration {
	result := make(chan time.Duration, 1)
	go func() {
		const tick = 10 * time.Millisecond
		worst, last := time.Duration(0), time.Now()
		for {
			select {
			case <-done:
				result <- worst
				return
			case <-time.After(tick):
				worst = max(worst, time.Since(last)-tick)
				last = time.Now()
			}
		}
	}()
	return result
}
