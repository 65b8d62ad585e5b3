package acceptqueue

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/valyala/fasthttp/reuseport"
)

func listenTCP(t *testing.T, lc net.ListenConfig, network, addr string) net.Listener {
	t.Helper()
	ln, err := lc.Listen(context.Background(), network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

// Every TCP listener that nobody shares has a twin: no option and no privilege
// is needed.
func TestTwinOfAnyTCPListener(t *testing.T) {
	for _, multipath := range []bool{false, true} {
		var lc net.ListenConfig
		lc.SetMultipathTCP(multipath)
		for network, addr := range map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "tcp": ":0"} {
			t.Run(network+" "+addr+" MPTCP "+strconv.FormatBool(multipath), func(t *testing.T) {
				l := stopOn(t, listenTCP(t, lc, network, addr))
				if l.Strategy != Twin || l.Why != "" || !l.Emptied || l.Waited <= 0 {
					t.Errorf("listener %+v, want a twin", l)
				}
			})
		}
	}
	t.Run("beside one of IPv6", func(t *testing.T) {
		ln := listenTCP(t, net.ListenConfig{}, "tcp4", ":0")
		_, port, err := net.SplitHostPort(ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		listenTCP(t, net.ListenConfig{}, "tcp6", "[::]:"+port)
		if l := stopOn(t, ln); l.Strategy != Twin {
			t.Errorf("listener %+v, want a twin", l)
		}
	})
	t.Run("SO_REUSEPORT", func(t *testing.T) {
		ln, err := reuseport.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if l := stopOn(t, ln); l.Strategy != Twin {
			t.Errorf("listener %+v, want a twin", l)
		}
	})
}

// The port is free and exclusive again after a stop, and no descriptor is left.
func TestTwinLeavesNothing(t *testing.T) {
	descriptors := func() int {
		n := 0
		if err := eachName("/proc/self/fd", func(int, string) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := 0
	for i := range 5 {
		if i == 1 {
			before = descriptors() // the first round has made the poller's
		}
		ln := listenTCP(t, net.ListenConfig{}, "tcp4", "127.0.0.1:0")
		addr := ln.Addr().String()
		if l := stopOn(t, ln); l.Strategy != Twin {
			t.Fatalf("listener %+v, want a twin", l)
		}
		if c, err := net.Dial("tcp4", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			if err == nil {
				_ = c.Close()
			}
			t.Errorf("after the stop a connection ends in %v, want it refused", err)
		}
		again := listenTCP(t, net.ListenConfig{}, "tcp4", addr)
		_ = again.Close()
	}
	if after := descriptors(); after > before {
		t.Errorf("%d descriptors are open after the stops, %d before", after, before)
	}
}

// Where another socket listens on the address a twin would take its SYNs, too.
// It is left alone.
func TestNoTwinInASharedGroup(t *testing.T) {
	first, err := reuseport.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	second, err := reuseport.Listen("tcp4", first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	l := startLoop(first, nil).end(t)
	if l.Strategy == Twin || !strings.Contains(l.Why, "another socket listens on the address") {
		t.Errorf("listener %+v, want no twin, because another socket listens on the address", l)
	}
	for range 20 {
		c, err := net.DialTimeout("tcp4", second.Addr().String(), bound)
		if err != nil {
			t.Fatalf("the other socket of the group cannot be reached after the stop: %v", err)
		}
		_ = c.Close()
	}
}

// A socket that somebody else has open as well goes on listening: it is not
// ours to stop.
func TestStopLeavesASharedSocketAlone(t *testing.T) {
	t.Run("a descriptor of the same process", func(t *testing.T) {
		ln := listenTCP(t, net.ListenConfig{}, "tcp4", "127.0.0.1:0")
		f, err := ln.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		l := stopOn(t, ln)
		wantStillListening(t, l, f, ln.Addr().String())
	})
	t.Run("a descriptor of a child", func(t *testing.T) {
		ln := listenTCP(t, net.ListenConfig{}, "tcp4", "127.0.0.1:0")
		f, err := ln.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		child := exec.Command("cat")
		in, err := child.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		child.ExtraFiles = []*os.File{f}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = in.Close()
			_ = child.Wait()
		}()
		// os/exec has made it blocking, for both; net.FileListener in a child
		// would undo that.
		if err := unix.SetNonblock(int(f.Fd()), true); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		l := stopOn(t, ln)
		wantStillListening(t, l, nil, ln.Addr().String())
	})
}

func wantStillListening(t *testing.T, l Report, f *os.File, addr string) {
	t.Helper()
	if l.Strategy != Poll || !strings.Contains(l.Why, "open a second time") {
		t.Errorf("listener %+v, want it polled, because the socket is shared", l)
	}
	c, err := net.Dial("tcp4", addr)
	if err != nil {
		t.Fatalf("the shared socket does not listen after the stop: %v", err)
	}
	defer c.Close()
	if f == nil {
		return
	}
	ln, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = accepted.Close()
}

// While there is a twin a connection attempt gets no answer.
func TestTwinSwallowsSYNs(t *testing.T) {
	ln := listenTCP(t, net.ListenConfig{}, "tcp4", "127.0.0.1:0").(*net.TCPListener)
	twin, err := openTwin(ln)
	if err != nil {
		t.Fatal(err)
	}
	// Half of the retry's second.
	if c, err := net.DialTimeout("tcp4", ln.Addr().String(), 500*time.Millisecond); err == nil || !isTimeout(err) {
		if err == nil {
			_ = c.Close()
		}
		t.Errorf("a connection attempt ends in %v, want no answer", err)
	}
	if waits, _ := acceptable(ln); waits {
		t.Error("a connection is in the queue of the first, want it in that of the twin")
	}
	twin.close()
	_ = ln.Close()

	if _, err := openTwin(ln); err == nil {
		t.Error("a closed listener has a twin")
	}
}

// A socket that is bound to a device cannot have a twin that is not.
func TestNoTwinOfABoundSocket(t *testing.T) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if cerr := c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), "lo") }); cerr != nil {
			return cerr
		}
		return err
	}}
	lc.SetMultipathTCP(false)
	ln := listenTCP(t, lc, "tcp4", "127.0.0.1:0")
	if l := stopOn(t, ln); l.Strategy == Twin || !strings.Contains(l.Why, "device") {
		t.Errorf("listener %+v, want no twin, because it is bound to a device", l)
	}
}

// Of other listeners the report says why there is nothing better.
func TestWhyNoTwin(t *testing.T) {
	t.Run("Unix socket", func(t *testing.T) {
		ln, err := net.Listen("unix", t.TempDir()+"/socket")
		if err != nil {
			t.Fatal(err)
		}
		if l := stopOn(t, ln); l.Strategy != Poll || l.Why == "" || !l.Emptied {
			t.Errorf("listener %+v, want it polled and why", l)
		}
	})
}
