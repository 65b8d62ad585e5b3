//go:build unix

package lab

import (
	"bufio"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/probe"
	"github.com/fastdrain/fastdrain/internal/process"
)

// newPair returns a client that is connected to a listener of the test, and the
// other end of its connection. What happens counts as after the stop.
func newPair(t *testing.T) (c *client, peer *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	y := newYard(t.Context(), ln.Addr().String(), 1)
	close(y.stopping)
	c = &client{yard: y}
	if !c.dial() || c.conn == nil {
		t.Fatalf("no connection: %+v", c.tally)
	}
	t.Cleanup(c.drop)
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return c, conn.(*net.TCPConn)
}

// awaitReceived waits until the client's kernel has received something.
func awaitReceived(t *testing.T, c *client) {
	t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(patience))
	c.raw.Read(func(fd uintptr) bool {
		state, _ := probe.Look(fixedFD(fd))
		return state != probe.Nothing
	})
}

// fixedFD is a RawConn of a descriptor that is in use already.
type fixedFD uintptr

func (fd fixedFD) Control(f func(uintptr)) error { f(uintptr(fd)); return nil }
func (fixedFD) Read(func(uintptr) bool) error    { panic("not needed") }
func (fixedFD) Write(func(uintptr) bool) error   { panic("not needed") }

func TestLookFindsTheConnectionAsItIs(t *testing.T) {
	c, _ := newPair(t)
	if !c.usable() {
		t.Error("a quiet connection is not usable")
	}

	c, peer := newPair(t)
	peer.CloseWrite()
	awaitReceived(t, c)
	if c.usable() || c.conn != nil {
		t.Error("a connection with FIN is taken for usable, or not dropped")
	}
	if c.lost+len(c.problems)+len(c.faults) > 0 {
		t.Errorf("a clean close counts as lost or worse: %+v", c.tally)
	}

	c, peer = newPair(t)
	peer.SetLinger(0)
	peer.Close()
	awaitReceived(t, c)
	if c.usable() {
		t.Error("a connection with RST is taken for usable")
	}
	if c.lost+len(c.problems)+len(c.faults) > 0 {
		t.Errorf("a reset before the write counts as lost or worse: %+v", c.tally)
	}

	c, peer = newPair(t)
	peer.Write([]byte("HTTP/1.1 408 Request Timeout\r\n\r\n"))
	awaitReceived(t, c)
	if c.usable() {
		t.Error("a connection with bytes nobody asked for is taken for usable")
	}
	if len(c.problems) != 1 {
		t.Errorf("bytes nobody asked for are not a problem: %+v", c.tally)
	}
}

func TestRefusedConnectionIsCountedApart(t *testing.T) {
	c, _ := newPair(t)
	addr, err := process.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	c.yard.addr = addr
	if c.dial() {
		t.Error("the client goes on after a refused connection")
	}
	if c.refused != 1 || c.lost != 0 || c.requests != 0 || c.connections != 1 {
		t.Errorf("counted %+v, want 1 refused and nothing else beside the first connection", c.tally)
	}
	if len(c.faults) != 0 {
		t.Errorf("a refusal after the stop is a fault: %v", c.faults)
	}
	c.yard.stopping = make(chan struct{})
	c.dial()
	if len(c.faults) != 1 {
		t.Errorf("a refusal before the stop is no fault: %+v", c.tally)
	}
}

func TestResponseCutInItsBodyIsLost(t *testing.T) {
	for name, response := range map[string]string{
		"no byte":              "",
		"cut in the header":    "HTTP/1.1 200 OK\r\nContent-Le",
		"cut in the body":      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
		"cut in a chunk":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello",
		"without the last one": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
	} {
		c, peer := newPair(t)
		go func() {
			http.ReadRequest(bufio.NewReader(peer))
			peer.Write([]byte(response))
			peer.Close()
		}()
		if c.exchange(0, "") || c.lost != 1 || c.answered != 0 {
			t.Errorf("%s: counted %+v, want 1 lost and 0 answered", name, c.tally)
		}
	}
}
