package acceptqueue

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
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

// The references tell that a listener has no request, and no more so from the client's
// SYN until its connection is accepted.
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
				want := func(none bool, when string) {
					t.Helper()
					if is := r.none(); is != none {
						t.Errorf("no request %s: %t", when, is)
					}
				}
				want(true, "without a client")
				c, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				want(false, "in a handshake")
				if newTestReferences(t, ln).none() {
					t.Error("no request, said in a handshake")
				}
				if _, err := c.Write([]byte{'x'}); err != nil {
					t.Fatal(err)
				}
				awaitQueue(t, ln, 1)
				want(false, "with a connection in the queue")
				accepted, err := ln.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer accepted.Close()
				want(true, "with an empty queue")
			})
		}
	}
}

// A listener that the kernel does not list, or that has more or fewer references, may
// have a request.
func TestReferencesThatNobodyKnows(t *testing.T) {
	r := newTestReferences(t, listen(t))
	for _, other := range []*references{
		nil,
		{path: "/proc/no such file", inode: r.inode, least: r.least},
		{path: r.path, inode: 1, least: r.least},
		{path: r.path, inode: r.inode, least: r.least - 1},
		{path: r.path, inode: r.inode, least: r.least + 1},
	} {
		if other.none() {
			t.Errorf("%+v says that there is no request", other)
		}
	}
	if !r.none() {
		t.Errorf("%+v does not say that there is no request", r)
	}
}

// A connection that comes while the references are read is seen by the last look: one by
// SYN cookie has none.
func TestLookAfterTheReferences(t *testing.T) {
	ln := listen(t)
	path := filepath.Join(t.TempDir(), "tcp")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	diag, err := diagnose(ln)
	if err != nil {
		t.Fatal(err)
	}
	s := &quietStrategy{pollStrategy: pollStrategy{sock: ln}, diag: diag, began: time.Now(), references: &references{path, diag.inode, 1}}
	waits := make(chan bool, 1)
	go func() { waits <- s.waits() }()
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	for end := time.Now().Add(bound); errors.Is(err, unix.ENXIO) && time.Now().Before(end); time.Sleep(time.Millisecond) {
		f, err = os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0) // when it has been opened to be read
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	awaitQueue(t, ln, 1)
	if _, err := fmt.Fprintf(f, "0: 0100007F:0050 00000000:0000 0A 0:0 0:0 0 0 0 %d 1 0\n", diag.inode); err != nil {
		t.Fatal(err)
	}
	if !<-waits {
		t.Error("there is nothing to accept, with a connection in the queue")
	}
	if s.listing != 0 {
		t.Error("the table was read, though the references say that there is no request")
	}
}
