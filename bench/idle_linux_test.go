package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fastdrain/fastdrain/bench/internal/holders"
	"github.com/fastdrain/fastdrain/bench/internal/process"
)

// The servers for idle clients only answer them and stop, and what bare is for is the
// difference of its two ways: one waits for a client's FIN, the other resets a client that
// goes on.
func TestServersForIdleClientsOnly(t *testing.T) {
	b := testBench(t)
	servers, err := b.stoppables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lingers := map[string]bool{"least": true, bareDrain: true, bareClose: false}
	for _, s := range servers {
		want, ok := lingers[s.name]
		if !s.idleOnly || !ok {
			continue
		}
		delete(lingers, s.name)
		command := slices.Concat(s.command, s.noWindow)
		const n = 50
		r, err := b.stop(t.Context(), command, n, func(addr string) (clientsOf, error) {
			return holders.Hold(t.Context(), addr, n)
		})
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
		} else if r.lost != 0 {
			t.Errorf("%s: lost %d, want none", s.name, r.lost)
		}
		if got := waitsForFIN(t, command); got != want {
			t.Errorf("%s: waits for the client's FIN: %t, want %t", s.name, got, want)
		}
	}
	for name := range lingers {
		t.Errorf("there is no server %q", name)
	}
}

// waitsForFIN says whether a server that stops takes what a client sends after the
// server's FIN: one that has closed answers it with a reset.
func waitsForFIN(t *testing.T, command []string) bool {
	t.Helper()
	s, err := process.Start(t.Context(), command[0], command[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.End()
	c, err := net.Dial("tcp4", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() {
		_, err := s.Stop(stopBound)
		stopped <- err
	}()
	if _, err := in.ReadByte(); err != io.EOF {
		t.Fatalf("got %v, want the server's FIN", err)
	}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	taken := acknowledged(t, c.(*net.TCPConn))
	c.Close()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	return taken
}

// acknowledged waits until all that was written is acknowledged, or the connection reset.
func acknowledged(t *testing.T, c *net.TCPConn) bool {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	const reset = 7 // TCP_CLOSE in include/net/tcp_states.h
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(time.Millisecond) {
		var info *unix.TCPInfo
		cerr := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
		switch {
		case cerr != nil || err != nil:
			t.Fatal(cerr, err)
		case info.State == reset:
			return false
		case info.Unacked == 0:
			return true
		}
	}
	t.Fatal("neither an acknowledgement nor a reset in a minute")
	return false
}
