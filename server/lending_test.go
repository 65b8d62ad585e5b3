package fasthttp

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A connection that lingers holds no worker, and its worker serves no more than one
// other: Concurrency is kept to.
func TestLingerFreesOneWorker(t *testing.T) {
	var now, most atomic.Int32
	s := &Server{Concurrency: 1, MaxIdleWorkerDuration: time.Second,
		Drain: Drain{LameDuck: time.Hour, Linger: drainBound}}
	s.Handler = func(ctx *RequestCtx) {
		most.Store(max(most.Load(), now.Add(1)))
		if string(ctx.Path()) == "/slow" {
			time.Sleep(100 * time.Millisecond)
		}
		now.Add(-1)
	}
	r := startDrainRig(t, drainKind{net: "tcp"}, s)
	call := r.begin(r.ctx)
	r.awaitTrue("the lame duck", func() bool { return s.DrainReport().Phase == PhaseLameDuck })
	var conns []*drainClient
	for range 2 {
		c := r.dial()
		c.get("/")
		c.want("", saysClose)
		c.wantEOF() // it lingers
		conns = append(conns, c)
	}
	for _, c := range conns {
		_ = c.c.Close()
	}
	r.awaitTrue("none lingers", func() bool { return s.ConnStats().Open == 0 })
	for i := range conns {
		conns[i] = r.dial()
		conns[i].get("/slow")
	}
	for _, c := range conns {
		_, _ = c.read()
	}
	if most.Load() > 1 {
		t.Errorf("%d handlers at once, want Concurrency = 1", most.Load())
	}
	r.cancel()
	_ = call.wait()
}

// byeConn is a protocol of its own on a socket, with a close_notify: "BYE".
type byeConn struct{ *net.TCPConn }

func (c byeConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if string(b[:n]) == "BYE" {
		return 0, io.EOF
	}
	return n, err
}

type byeListener struct{ net.Listener }

func (l byeListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return byeConn{c.(*net.TCPConn)}, nil
}

// A lingering connection is read through its own Read.
func TestLingerReadsThroughAWrapper(t *testing.T) {
	k := drainKind{net: "tcp"}
	r := startDrainRigOn(t, k, &Server{Drain: Drain{FinalRead: -1, Linger: 2 * drainBound}},
		byeListener{newDrainListener(t, k)})
	c := r.dialIdle()
	call := r.stop()
	c.wantEOF()
	c.send("BYE")
	if report := call.wantNil(); report.Late != 0 {
		t.Errorf("report %v, want none late", report)
	}
}

// A connection whose loop has ended is not taken for one that waits.
func TestEndedLoopIsNotForced(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		ln := &heldCloseListener{newDrainListener(t, drainKind{net: "memory"}), make(chan struct{}), make(chan struct{})}
		r := startDrainRigOn(t, drainKind{net: "memory"}, &Server{Drain: Drain{FinalRead: -1}}, ln)
		_ = r.dialIdle().c.Close()
		r.await("the close", ln.closing)
		call := r.stop()
		time.Sleep(4 * deafGrace)
		close(ln.release)
		if report := call.wantNil(); report.Outcomes.ClientClosed != 1 {
			t.Errorf("report %v, want one closed by the client", report)
		}
	})
}

// A request after the last look is late, also after a streamed body.
func TestLateAfterAStreamedBody(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	s := &Server{StreamRequestBody: true, Drain: Drain{FinalRead: 100 * time.Millisecond, Linger: drainBound}}
	s.Handler = func(*RequestCtx) {
		close(begun)
		<-goOn
	}
	r := startDrainRig(t, drainKind{net: "tcp"}, s)
	c := r.dial()
	body := strings.Repeat("x", 32<<10)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 32768\r\n\r\n" + body[:12<<10])
	r.await("the handler", begun)
	call := r.stop()
	close(goOn)
	c.want("", keepAlive)
	c.send(body[12<<10:])
	c.wantEOF()
	c.get("/late")
	c.halfClose()
	if report := call.wantNil(); report.Late != 1 {
		t.Errorf("report %v, want one late", report)
	}
}
