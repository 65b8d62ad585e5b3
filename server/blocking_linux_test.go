package fasthttp

import (
	"crypto/tls"
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
