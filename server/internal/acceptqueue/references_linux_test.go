package acceptqueue

import (
	"net"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newTestReferences(t *testing.T, ln *net.TCPListener) *references {
	t.Helper()
	twin, err := openTwin(ln)
	if err != nil {
		t.Fatal(err)
	}
	defer twin.close()
	r, err := newReferences(ln, twin)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The references tell that a listener is alone, and no more so from the client's SYN
// until its connection is accepted, also if they are measured meanwhile.
func TestReferencesOfAListener(t *testing.T) {
	for _, multipath := range []bool{false, true} {
		var lc net.ListenConfig
		lc.SetMultipathTCP(multipath)
		for network, addr := range map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "tcp": ":0"} {
			t.Run(network+" "+addr+" MPTCP "+strconv.FormatBool(multipath), func(t *testing.T) {
				ln := listenTCP(t, lc, network, addr).(*net.TCPListener)
				// Then a client that has connected is a handshake until it sends.
				if err := control(ln, func(fd int) error {
					return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30)
				}); err != nil {
					t.Fatal(err)
				}
				r := newTestReferences(t, ln)
				alone := func(want bool, when string) {
					t.Helper()
					if is := r.alone(); is != want {
						t.Errorf("alone %s: %t", when, is)
					}
				}
				alone(true, "without a client")
				c, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				alone(false, "in a handshake")
				if again := newTestReferences(t, ln); again.none != r.none || again.alone() {
					t.Errorf("measured in a handshake: %+v, want %d without one", again, r.none)
				}
				if _, err := c.Write([]byte{'x'}); err != nil {
					t.Fatal(err)
				}
				for end := time.Now().Add(bound); ; time.Sleep(time.Millisecond) {
					if waits, _ := acceptable(ln); waits {
						break
					}
					if time.Now().After(end) {
						t.Fatal("the connection does not come to the queue")
					}
				}
				alone(false, "with a connection in the queue")
				accepted, err := ln.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer accepted.Close()
				alone(true, "with an empty queue")
			})
		}
	}
}

// A listener that the kernel does not list, or that has more or fewer references, is not
// said to be alone.
func TestReferencesThatNobodyKnows(t *testing.T) {
	r := newTestReferences(t, listen(t))
	for _, other := range []references{
		{path: "/proc/no such file", inode: r.inode, none: r.none},
		{path: r.path, inode: 1, none: r.none},
		{path: r.path, inode: r.inode, none: r.none - 1},
		{path: r.path, inode: r.inode, none: r.none + 1},
	} {
		if other.alone() {
			t.Errorf("%+v is alone", other)
		}
	}
	if !r.alone() {
		t.Errorf("%+v is not alone", r)
	}
}
