package acceptqueue

import (
	"context"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// grouped listens with SO_REUSEPORT and the options of IPPROTO_TCP or of
// IPPROTO_IPV6 that are given.
func grouped(t *testing.T, network, addr string, options ...[3]int) *net.TCPListener {
	t.Helper()
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		cerr := c.Control(func(fd uintptr) {
			for _, o := range append(options, [3]int{unix.SOL_SOCKET, unix.SO_REUSEPORT, 1}) {
				if err == nil {
					err = unix.SetsockoptInt(int(fd), o[0], o[1], o[2])
				}
			}
		})
		if cerr != nil {
			return cerr
		}
		return err
	}}
	lc.SetMultipathTCP(false)
	return listenTCP(t, lc, network, addr).(*net.TCPListener)
}

// Sockets at 0.0.0.0, at [::], at [::] for IPv6 only, and at an address of the
// machine are in four groups: each is alone, and has a twin.
func TestGroupsOfOnePort(t *testing.T) {
	first := grouped(t, "tcp4", ":0")
	_, port, err := net.SplitHostPort(first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	all := []*net.TCPListener{
		first,
		grouped(t, "tcp", "[::]:"+port, [3]int{unix.SOL_IPV6, unix.IPV6_V6ONLY, 0}),
		grouped(t, "tcp6", "[::]:"+port, [3]int{unix.SOL_IPV6, unix.IPV6_V6ONLY, 1}),
		grouped(t, "tcp4", "127.0.0.1:"+port),
	}
	for _, ln := range all {
		d, err := diagnose(ln)
		if err != nil {
			t.Fatal(err)
		}
		if others, err := d.others(); err != nil || len(others) != 0 {
			t.Errorf("%v: others %+v (%v), want none", ln.Addr(), others, err)
		}
	}
	beside := grouped(t, "tcp4", ":"+port)
	d, err := diagnose(beside)
	if err != nil {
		t.Fatal(err)
	}
	if others, err := d.others(); err != nil || len(others) != 1 {
		t.Errorf("%v: others %+v (%v), want the first", beside.Addr(), others, err)
	}
	_ = beside.Close()
	_ = all[3].Close() // it would get the twin's probes
	if r := startLoop(first, nil).end(t); r.Strategy != Twin || !r.Emptied {
		t.Errorf("%v: %+v, want a twin", first.Addr(), r)
	}
}

// Those who join the group while there is a twin get their share when it has gone:
// its program goes with it.
func TestTwinTakesItsProgramAlong(t *testing.T) {
	for name, old := range map[string]bool{"detached": false, "before Linux 5.3": true} {
		t.Run(name, func(t *testing.T) {
			first := grouped(t, "tcp4", "127.0.0.1:0")
			addr := first.Addr().String()
			twin, err := openTwin(first)
			if err != nil {
				t.Fatal(err)
			}
			joined := []*net.TCPListener{grouped(t, "tcp4", addr), grouped(t, "tcp4", addr), grouped(t, "tcp4", addr)}
			_ = first.Close()
			twin.close()
			if old {
				err := control(joined[0], func(fd int) error {
					return attach(fd, unix.SO_ATTACH_REUSEPORT_CBPF, noMember)
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			const clients = 60
			for range clients {
				c, err := net.DialTimeout("tcp4", addr, bound)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
			}
			for i, ln := range joined {
				if n, _, _ := Length(ln); n == 0 || n == clients {
					t.Errorf("number %d has %d of %d connections", i, n, clients)
				}
			}
		})
	}
}

// With TCP_DEFER_ACCEPT the kernel keeps a connection among the handshakes until
// its first byte comes: one that has sent nothing is reset at the close. It is in
// the report.
func TestClientThatHasSentNothingWithDeferAccept(t *testing.T) {
	ln := grouped(t, "tcp4", "127.0.0.1:0", [3]int{unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 5})
	l := startLoop(ln, nil)
	silent, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	d, err := diagnose(ln)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	for h := (handshakes{}); h.deferred == 0; time.Sleep(10 * time.Millisecond) {
		if h, err = d.handshakes(time.Now()); err != nil || ctx.Err() != nil {
			t.Fatalf("the kernel lists %+v (%v), want the silent client's", h, err)
		}
	}
	if r := l.end(t); r.Emptied || r.Unfinished != 1 || !strings.Contains(r.Why, "TCP_DEFER_ACCEPT") {
		t.Errorf("%+v, want an unfinished handshake, and that its client may be reset", r)
	}
}
