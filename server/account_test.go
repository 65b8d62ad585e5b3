package fasthttp

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What a pipeline holds when the context ends is late, whether its connection is
// left open or closed by force, and once per connection.
func TestLateOfPipelinesWhenTheContextEnds(t *testing.T) {
	for _, force := range []bool{false, true} {
		eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
			release, running := make(chan struct{}), make(chan struct{}, 1)
			r := startDrainRig(t, k, heldServer(release, running, Drain{ForceClose: force}))
			c := r.dial()
			c.send(drainGet("/held") + drainGet("/a") + drainGet("/b"))
			r.await("the handler", running)
			r.stopCanceled()
			close(release)
			if !force {
				c.want("/held", saysClose)
			}
			r.awaitTrue("the connection has left", func() bool { return r.s.connTable().open() == 0 })
			if late := r.s.DrainReport().Late; late != 1 {
				t.Errorf("force %t: %d late, want 1", force, late)
			}
			if late := r.s.DrainTotals().Late; late != 1 {
				t.Errorf("force %t: %d late in all, want 1", force, late)
			}
		})
	}
}

// A drain that timed out is remembered as long as connections of it are left.
func TestTimedOutDrainsAreForgotten(t *testing.T) {
	release, running := make(chan struct{}), make(chan struct{}, 1)
	s := heldServer(release, running, Drain{ForceClose: true})
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	const drains = 10
	for range drains {
		r := startDrainRig(t, drainKind{net: "tcp"}, s)
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		if err := r.stopWith(ended).wait(); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		release <- struct{}{}
		r.awaitTrue("the connection has left", func() bool { return s.connTable().open() == 0 })
	}
	s.mu.Lock()
	left := len(s.drains.left)
	s.mu.Unlock()
	if left > 1 {
		t.Errorf("%d of %d drains are kept", left, drains)
	}
	if total := s.DrainTotals(); total.Forced != drains || total.Outcomes.Forced != drains {
		t.Errorf("totals %+v, want %d forced", total, drains)
	}
}

// brokenStream is the body of a response that ends before its end.
type brokenStream struct{ left int }

func (b *brokenStream) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errors.New("the stream is broken")
	}
	b.left--
	p[0] = 'x'
	return 1, nil
}

// The beginning of a response whose body has failed is not sent, as with upstream,
// and those before it are.
func TestFailedStreamIsNotTakenForAResponse(t *testing.T) {
	for _, close := range []string{"", "Connection: close\r\n"} {
		testFailedStream(t, drainGet("/held")+drainGet("/a"), close, "/held /a")
	}
}

func testFailedStream(t *testing.T, before, header, answered string) {
	t.Helper()
	release, running := make(chan struct{}), make(chan struct{}, 1)
	s := heldServer(release, running, Drain{FinalRead: 5 * time.Second})
	held := s.Handler
	s.Handler = func(ctx *RequestCtx) {
		if string(ctx.Path()) == "/broken" {
			ctx.SetBodyStream(&brokenStream{3}, 10)
			return
		}
		held(ctx)
	}
	r := startDrainRig(t, drainKind{net: "tcp"}, s)
	c := r.dial()
	c.send(before + "GET /broken HTTP/1.1\r\nHost: a\r\n" + header + "\r\n")
	r.await("the handler", running)
	call := r.stop()
	close(release)
	for _, path := range strings.Fields(answered) {
		c.want(path, keepAlive)
	}
	if rest, err := io.ReadAll(c.br); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v behind the responses, want nothing", rest, err)
	}
	_ = c.c.Close()
	call.wantNil()
}

// An upload that the handler has not read does not keep its response from saying
// 'Connection: close' where the application has asked for that.
func TestUnreadUploadAndCloseOnShutdown(t *testing.T) {
	for phase, drain := range map[DrainPhase]Drain{PhaseDraining: {}, PhaseLameDuck: {LameDuck: drainBound}} {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		s := heldServer(release, running, drain)
		s.StreamRequestBody, s.CloseOnShutdown = true, true
		r := startDrainRig(t, drainKind{net: "tcp"}, s)
		c := r.dial()
		c.send("POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000))
		r.await("the handler", running)
		call := r.begin(r.ctx)
		r.awaitTrue(phase.String(), func() bool { return s.DrainReport().Phase == phase })
		close(release)
		c.want("/held", saysClose)
		_ = c.c.Close()
		if phase == PhaseLameDuck {
			r.cancel()
			_ = call.wait()
			continue
		}
		call.wantNil()
	}
}

// What stands behind such an upload in the buffer is served all the same.
func TestPipelineBehindAnUnreadUpload(t *testing.T) {
	for _, upload := range []string{
		"Content-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000),
		"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
	} {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		s := heldServer(release, running, Drain{FinalRead: 5 * time.Second})
		s.StreamRequestBody, s.CloseOnShutdown, s.ReadBufferSize = true, true, 32<<10
		r := startDrainRig(t, drainKind{net: "tcp"}, s)
		c := r.dial()
		// The last head ends as a chunked body does.
		c.send("POST /held HTTP/1.1\r\nHost: a\r\n" + upload + drainGet("/a") + "GET /b HTTP/1.1\r\nHost: a:80\r\n\r\n")
		r.await("the handler", running)
		call := r.stop()
		close(release)
		c.want("/held", keepAlive)
		c.want("/a", keepAlive)
		c.want("/b", saysClose)
		_ = c.c.Close()
		call.wantNil()
	}
}

// Nor is the count of open connections less than zero, before a Serve or after a
// stop.
func TestOpenConnectionsAreNeverLessThanNone(t *testing.T) {
	s := &Server{}
	if n := s.GetOpenConnectionsCount(); n != 0 {
		t.Errorf("%d open before Serve", n)
	}
	r := startDrainRig(t, drainKind{net: "tcp"}, s)
	r.stop().wantNil()
	if n := s.GetOpenConnectionsCount(); n != 0 {
		t.Errorf("%d open after the stop", n)
	}
}

// What a client has not taken when the linger ends is in the account.
func TestUndeliveredBytesAreInTheAccount(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says what is not acknowledged")
	}
	const size = 200 << 10
	running := make(chan struct{}, 1)
	for _, reads := range []bool{true, false} {
		s := &Server{
			Handler: func(ctx *RequestCtx) {
				running <- struct{}{}
				<-ctx.Done()
				ctx.SetBody(make([]byte, size))
			},
			ConnState: func(c net.Conn, state ConnState) {
				if state == StateNew {
					_ = c.(*net.TCPConn).SetWriteBuffer(4 * size) // so that no write blocks
				}
			},
		}
		want := 0
		s.Drain.Linger = drainBound // ends when the client closes
		if !reads {
			want, s.Drain.Linger = 1, 50*time.Millisecond
		}
		r := startDrainRig(t, drainKind{net: "tcp"}, s)
		raw := r.dialRaw()
		if !reads {
			_ = raw.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		c := newDrainClient(t, raw)
		c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		r.await("the handler", running)
		call := r.stop()
		if reads {
			_, _ = io.Copy(io.Discard, c.br)
			_ = c.c.Close()
		}
		if report := call.wantNil(); report.Undelivered != want || r.s.DrainTotals().Undelivered != want {
			t.Errorf("a client that reads %t: %v", reads, report)
		}
	}
}

// What has been accepted in a drain never falls, also while connections are refused.
func TestTotalsDoNotFallWithARefusal(t *testing.T) {
	release, running := make(chan struct{}), make(chan struct{}, 1)
	s := heldServer(release, running, Drain{FinalRead: -1})
	s.Concurrency = 1
	held, goOn := holdAccepting(s, 2)
	r := startDrainRig(t, drainKind{net: "tcp"}, s)
	first := r.dial()
	first.get("/held")
	r.await("the handler", running)
	const n = 64
	conns := make([]*drainClient, n)
	for i := range conns {
		conns[i] = r.dial()
	}
	r.await("the accept loop", held)
	call := r.stop()
	quit, ended, fell := make(chan struct{}), make(chan struct{}), 0
	go func() {
		defer close(ended)
		for last := 0; ; {
			select {
			case <-quit:
				return
			default:
			}
			now := s.DrainTotals().Accepted
			if now < last {
				fell++
			}
			last = now
		}
	}()
	close(goOn)
	for _, c := range conns {
		c.wantCode(StatusServiceUnavailable, saysClose)
		_ = c.c.Close()
	}
	close(release)
	first.want("/held", saysClose)
	_ = first.c.Close()
	report := call.wantNil()
	close(quit)
	<-ended
	if fell > 0 {
		t.Errorf("the count of accepted connections has fallen %d times; %v", fell, report)
	}
}
