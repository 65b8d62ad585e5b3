//go:build unix

package holders

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
)

// server answers as the servers of bench do, and hands every connection to after
// when it has answered it n times.
func server(t *testing.T, n int, after func(*net.TCPConn)) string {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				in := bufio.NewReader(c)
				for range n {
					if _, err := http.ReadRequest(in); err != nil {
						c.Close()
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, World!")
				}
				after(c.(*net.TCPConn))
			}()
		}
	}()
	return ln.Addr().String()
}

func closeInOrder(c *net.TCPConn) { c.Close() }

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	c.Close()
}

func TestIdleConnectionThatIsResetIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*net.TCPConn)
		lost int
	}{
		"closed in order": {closeInOrder, 0},
		"reset":           {reset, 20},
	} {
		t.Run(name, func(t *testing.T) {
			stop := make(chan struct{})
			h, err := Hold(t.Context(), server(t, 1, func(conn *net.TCPConn) { <-stop; c.end(conn) }), 20)
			if err != nil {
				t.Fatal(err)
			}
			close(stop)
			lost, example, err := h.End()
			if err != nil || lost != c.lost {
				t.Errorf("lost %d (%v), error %v; want %d", lost, example, err, c.lost)
			}
		})
	}
}

func TestBusyRequestWithoutResponseIsLost(t *testing.T) {
	// The third request is read and never answered.
	swallow := func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 1))
		c.Close()
	}
	b, err := Work(t.Context(), server(t, 2, swallow), 20)
	if err != nil {
		t.Fatal(err)
	}
	lost, example, err := b.End()
	if err != nil || lost != 20 || b.Answered() != 20 {
		t.Errorf("lost %d (%v), answered %d, error %v; want 20 lost and 20 answered", lost, example, b.Answered(), err)
	}
}

func TestBusyClientEndsByConnectionClose(t *testing.T) {
	last := func(c *net.TCPConn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}
		_, _ = io.Copy(io.Discard, c) // the client closes, and not this side
		c.Close()
	}
	b, err := Work(t.Context(), server(t, 1, last), 20)
	if err != nil {
		t.Fatal(err)
	}
	lost, example, err := b.End()
	if err != nil || lost != 0 || b.Answered() != 20 {
		t.Errorf("lost %d (%v), answered %d, error %v; want none lost and 20 answered", lost, example, b.Answered(), err)
	}
}

func TestBusyClientSeesTheFIN(t *testing.T) {
	stop := make(chan struct{})
	c, err := dial(t.Context(), server(t, 1, func(c *net.TCPConn) { <-stop; c.Close() }))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := once(c); err != nil {
		t.Fatal(err)
	}
	if finished(c) {
		t.Error("an open connection is taken for closed")
	}
	close(stop)
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("the end of the connection is %v, want EOF", err)
	}
	if !finished(c) {
		t.Error("the server's FIN is not seen")
	}
}

func TestServerThatDoesNotListenIsAnError(t *testing.T) {
	addr, err := process.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if _, err := Hold(t.Context(), addr, 3); err == nil {
		t.Errorf("no error after %v", time.Since(begin))
	}
}
