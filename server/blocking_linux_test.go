package fasthttp

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

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
	r.awaitTrue("Accept blocks in the kernel", func() bool {
		for _, stack := range goroutinesOfServer() {
			if strings.Contains(stack, "[syscall") && strings.Contains(stack, "TCPListener).Accept") {
				return true
			}
		}
		return false
	})
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
			for _, held := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/held %t", name, held), func(t *testing.T) {
					t.Parallel()
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
					if !held {
						r.settle()
						r.stop().wantNil()
						return
					}
					c.get("/held")
					r.await("the handler", running)
					call := r.stop()
					close(release)
					c.want("/held", drain.FinalRead < 0)
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
		r := startDrainRig(t, k, s)
		c := r.dial()
		c.get("/before")
		c.want("/before", keepAlive)
		r.settle()
		call := r.stop()
		c.get("/late")
		c.want("/late", saysClose)
		if report := call.wantNil(); report.Outcomes.Forced != 0 || report.Late != 0 {
			t.Errorf("%+v, want none forced and none late", report)
		}
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
