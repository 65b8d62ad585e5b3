package fasthttp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// blocker holds what calls it from the stop to the end of a test.
type blocker struct {
	stopping atomic.Bool
	what     string
	held     atomic.Int32
	goOn     chan struct{}
}

func (b *blocker) at(method string) {
	if b.stopping.Load() && b.what == method {
		b.held.Add(1)
		<-b.goOn
	}
}

// blockingConn is a connection with code of the application in each method.
type blockingConn struct {
	inner net.Conn
	b     *blocker
}

func (c *blockingConn) Read(p []byte) (int, error) {
	n, err := c.inner.Read(p)
	c.b.at("Read")
	return n, err
}

func (c *blockingConn) Write(p []byte) (int, error) {
	c.b.at("Write")
	return c.inner.Write(p)
}

func (c *blockingConn) Close() error {
	c.b.at("Close")
	return c.inner.Close()
}

func (c *blockingConn) LocalAddr() net.Addr {
	c.b.at("LocalAddr")
	return c.inner.LocalAddr()
}

func (c *blockingConn) RemoteAddr() net.Addr {
	c.b.at("RemoteAddr")
	return c.inner.RemoteAddr()
}

func (c *blockingConn) SetDeadline(t time.Time) error { return c.inner.SetDeadline(t) }

func (c *blockingConn) SetReadDeadline(t time.Time) error {
	c.b.at("SetReadDeadline")
	return c.inner.SetReadDeadline(t)
}

func (c *blockingConn) SetWriteDeadline(t time.Time) error {
	c.b.at("SetWriteDeadline")
	return c.inner.SetWriteDeadline(t)
}

// blockingListener is a listener with code of the application in each method.
type blockingListener struct {
	net.Listener
	b *blocker
}

func (l *blockingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	l.b.at("Accept")
	if err != nil {
		return nil, err
	}
	return &blockingConn{c, l.b}, nil
}

func (l *blockingListener) Close() error {
	l.b.at("Listener.Close")
	return l.Listener.Close()
}

func (l *blockingListener) Addr() net.Addr {
	l.b.at("Addr")
	return l.Listener.Addr()
}

type blockingLog struct{ b *blocker }

func (l blockingLog) Printf(string, ...any) { l.b.at("Logger") }

// Shutdown returns when its context ends whatever code of the application blocks,
// and so does a DrainReport; and the next stop is not held by it.
func TestShutdownReturnsWhateverBlocks(t *testing.T) {
	for _, what := range []string{
		"nothing", "Read", "Write", "Close", "LocalAddr", "RemoteAddr", "SetReadDeadline", "SetWriteDeadline",
		"Accept", "Listener.Close", "Addr", "OnPhase", "ConnState", "Logger", "GetCertificate", "Handler",
	} {
		var held int32
		for _, drain := range []Drain{{}, {FinalRead: -1}, {ForceClose: true}, {Reject: true}, {LameDuck: 50 * time.Millisecond}} {
			for _, secure := range []bool{false, true} {
				t.Run(what, func(t *testing.T) {
					inDrainBubble(t, func(t *testing.T) { held += testBlocking(t, what, drain, secure) })
				})
			}
		}
		if held == 0 && what != "nothing" {
			t.Errorf("nothing called %s", what)
		}
	}
}

// testBlocking says how often what was held.
func testBlocking(t *testing.T, what string, drain Drain, secure bool) (held int32) {
	b := &blocker{what: what, goOn: make(chan struct{})}
	drain.OnPhase = func(DrainPhase) { b.at("OnPhase") }
	running := make(chan struct{}, 1)
	s := &Server{
		Drain:        drain,
		LogAllErrors: true,
		Logger:       blockingLog{b},
		ReadTimeout:  time.Hour, // for the sake of its deadlines
		WriteTimeout: time.Hour,
		Handler: func(ctx *RequestCtx) {
			if string(ctx.Path()) == "/held" {
				running <- struct{}{}
				<-ctx.Done()
				b.at("Handler")
			}
			_, _ = ctx.Write(ctx.Path())
		},
		ConnState: func(net.Conn, ConnState) { b.at("ConnState") },
	}
	pipes := newPipeListener()
	var ln net.Listener = &blockingListener{pipes, b}
	if secure {
		config := drainTestTLS().Clone()
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			b.at("GetCertificate")
			return nil, nil
		}
		ln = tls.NewListener(ln, config)
	}
	r := startDrainRigOn(t, drainKind{net: "memory"}, s, ln)
	dial := func() (net.Conn, net.Conn) {
		raw, err := pipes.Dial()
		if err != nil {
			t.Fatal(err)
		}
		if secure {
			return newDrainTLSClient(raw), raw
		}
		return raw, raw
	}
	var raws []net.Conn
	client := func() *drainClient {
		c, raw := dial()
		raws = append(raws, raw)
		return newDrainClient(t, c)
	}
	idle, runs, broken := client(), client(), client()
	for _, c := range []*drainClient{idle, broken} {
		c.get("/before")
		c.wantCode(StatusOK, keepAlive)
	}
	runs.get("/held")
	r.await("the handler", running)
	_, fresh := dial()
	raws = append(raws, fresh)
	time.Sleep(newTime) // as upstream would wait for it until then
	synctest.Wait()

	b.stopping.Store(true)
	const patience = 600 * time.Millisecond
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	began := time.Now()
	go func() {
		if secure { // a handshake that begins now
			_ = newDrainTLSClient(fresh).Handshake()
		}
	}()
	broken.send("no request\r\n\r\n")
	err := s.ShutdownWithContext(ctx)
	if took := time.Since(began); took > patience+50*time.Millisecond {
		t.Errorf("%+v, TLS %t: Shutdown returned %v after %v, with a context of %v", drain, secure, err, took, patience)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	if what == "nothing" && err != nil {
		t.Errorf("%+v, TLS %t, with nothing that blocks: %v, %v, %+v", drain, secure, err, s.DrainReport(), s.DrainReport().Open)
	}
	wantDrainAddsUp(t, s.DrainReport())

	// What is held goes on, and leaves nothing.
	close(b.goOn)
	for _, c := range raws {
		_ = c.Close()
	}
	s.Drain = Drain{}
	if err := s.Shutdown(); err != nil && what != "Listener.Close" {
		t.Errorf("a second Shutdown: %v", err)
	}
	return b.held.Load()
}
