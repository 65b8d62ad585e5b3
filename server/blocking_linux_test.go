package fasthttp

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A process that hands its listener on as os/exec does has a descriptor that
// blocks: no deadline wakes its Accept, and no Close. Whoever still has the
// socket finds it blocking afterwards.
func TestShutdownWakesABlockingAccept(t *testing.T) {
	for _, network := range []string{"tcp", "tls"} {
		for holder, holds := range map[string]bool{"held": true, "alone": false} {
			t.Run(network+"/"+holder, func(t *testing.T) { stopBlocking(t, network, holds) })
		}
	}
}

func stopBlocking(t *testing.T, network string, held bool) {
	t.Helper()
	k := drainKind{net: network}
	tcp := newDrainListener(t, drainKind{net: "tcp"}).(*net.TCPListener)
	ln := net.Listener(tcp)
	if network == "tls" {
		ln = tls.NewListener(ln, drainTestTLS())
	}
	r := startDrainRigOn(t, k, &Server{}, ln)
	f, err := tcp.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd := int(f.Fd()) // which os/exec calls, and makes both block
	if !held {
		_ = f.Close()
	}
	r.dialIdle()
	r.awaitBlocked("TCPListener).Accept")
	report := r.stop().wantNil()
	if l := report.Listeners[0]; !l.Emptied {
		t.Errorf("listener %+v, want it emptied", l)
	}
	if !held {
		return
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("flags %#x of the other descriptor (%v), want it blocking as before", flags, err)
	}
}

// A handler that looks into its socket by File and Fd leaves a descriptor that blocks:
// no deadline ends its Read. Its client keeps the connection open.
func TestShutdownEndsAReadThatBlocks(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		for name, drain := range map[string]Drain{"window": {}, "no window": {FinalRead: -1}} {
			const record = "\x17\x03\x03" // begins one
			for _, half := range []string{"", "GET /half", record} {
				if half == record && k.net != "tls" {
					continue
				}
				t.Run(fmt.Sprintf("%s/then %q", name, half), func(t *testing.T) {
					release, running := make(chan struct{}), make(chan struct{}, 1)
					s := heldServer(release, running, drain)
					answer := s.Handler
					s.Handler = func(ctx *RequestCtx) {
						makeBlock(t, ctx.Conn())
						answer(ctx)
					}
					r := startDrainRig(t, k, s)
					c := r.dial()
					c.get("/before")
					c.want("/before", keepAlive)
					c.get("/held")
					r.await("the handler", running)
					if half == record {
						_, _ = io.WriteString(c.c.(*tls.Conn).NetConn(), half)
					} else {
						c.send(half)
					}
					call := r.stop()
					close(release)
					c.want("/held", drain.FinalRead < 0 && (half == "" || k.net == "tls"))
					call.wantNil()
				})
			}
		}
	})
}

// A request that comes while a Read blocks is served.
func TestReadThatBlocksServesWhatComesInTheWindow(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		s := &Server{Handler: func(ctx *RequestCtx) {
			makeBlock(t, ctx.Conn())
			_, _ = ctx.Write(ctx.Path())
		}}
		r, c := startBlocked(t, k, s)
		call := r.stop()
		c.get("/late")
		c.want("/late", saysClose)
		if report := call.wantNil(); report.Outcomes.Forced != 0 || report.Late != 0 {
			t.Errorf("%+v, want none forced and none late", report)
		}
	})
}

// Half a head is not waited for in a Read that nothing would end.
func TestHalfAHeadOnASocketThatBlocks(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		for _, timeout := range []time.Duration{0, 300 * time.Millisecond} {
			s := &Server{IdleTimeout: time.Hour}
			s.Handler = func(ctx *RequestCtx) {
				s.ReadTimeout = timeout // from here on: its client may take longer to connect
				makeBlock(t, ctx.Conn())
				_, _ = ctx.Write(ctx.Path())
			}
			r, c := startBlocked(t, k, s)
			call := r.stop()
			c.send("GET /half")
			if report := call.wantNil(); report.Outcomes.ClosedIdle != 1 {
				t.Errorf("ReadTimeout %v: outcomes %+v, want it closed as idle", timeout, report.Outcomes)
			}
		}
	})
}

// A connection whose descriptor blocks from its handshake on has its first request
// answered, though the stop comes in that handshake.
func TestHandshakeThatLeavesASocketBlocking(t *testing.T) {
	k := drainKind{net: "tls"}
	release, running := make(chan struct{}), make(chan struct{}, 1)
	config := drainTestTLS().Clone()
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		makeBlock(t, hello.Conn)
		running <- struct{}{}
		<-release
		return nil, nil
	}
	ln := tls.NewListener(newDrainListener(t, drainKind{net: "tcp"}), config)
	r := startDrainRigOn(t, k, heldServer(nil, nil, Drain{}), ln)
	raw := r.dialRaw()
	answered := make(chan error, 1)
	go func() { answered <- askQueued(raw, true) }()
	r.await("the handshake", running)
	call := r.stop()
	close(release)
	if err := <-answered; err != nil {
		t.Errorf("the request after the handshake: %v", err)
	}
	call.wantNil()
}

// startBlocked is a Server whose handler makes its connections block, with one that waits
// in the kernel for its next request.
func startBlocked(t *testing.T, k drainKind, s *Server) (*drainRig, *drainClient) {
	t.Helper()
	r := startDrainRig(t, k, s)
	c := r.dial()
	c.get("/before")
	c.want("/before", keepAlive)
	r.awaitBlocked("poll.(*FD).Read")
	return r, c
}

// awaitBlocked waits until a goroutine of the Server is in the kernel, in a function.
func (r *drainRig) awaitBlocked(function string) {
	r.t.Helper()
	r.awaitTrue(function+" blocks in the kernel", func() bool {
		for _, stack := range goroutinesOfServer() {
			if strings.Contains(stack, "[syscall") && strings.Contains(stack, function) {
				return true
			}
		}
		return false
	})
}

// makeBlock has the descriptor of a connection block.
func makeBlock(t *testing.T, c net.Conn) {
	if tc, ok := c.(*tls.Conn); ok {
		c = tc.NetConn()
	}
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		t.Error(err)
		return
	}
	_ = f.Fd()
	_ = f.Close()
}
