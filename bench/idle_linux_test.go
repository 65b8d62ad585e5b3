package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fastdrain/fastdrain/bench/internal/holders"
	"github.com/fastdrain/fastdrain/bench/internal/process"
	"github.com/fastdrain/fastdrain/bench/internal/serving"
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
		got, err := waitsForFIN(t.Context(), command)
		if err != nil || got != want {
			t.Errorf("%s: waits for the client's FIN: %t (%v), want %t", s.name, got, err, want)
		}
	}
	for name := range lingers {
		t.Errorf("there is no server %q", name)
	}
}

// waitsForFIN says whether a server that stops takes what a client sends after the
// server's FIN: one that has closed answers it with a reset.
func waitsForFIN(ctx context.Context, command []string) (waits bool, err error) {
	s, err := process.Start(ctx, command[0], command[1:]...)
	if err != nil {
		return false, err
	}
	defer s.End()
	conn, err := net.Dial("tcp4", s.Addr)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := io.ReadFull(conn, make([]byte, len(serving.Response))); err != nil {
		return false, fmt.Errorf("the response: %w", err)
	}
	stopped := make(chan error, 1)
	go func() {
		_, err := s.Stop(stopBound)
		stopped <- err
	}()
	if n, err := io.Copy(io.Discard, conn); n > 0 || err != nil {
		return false, fmt.Errorf("%d bytes and %v in the place of a FIN", n, err)
	}
	fmt.Fprint(conn, "x")
	waits, err = acknowledged(conn.(*net.TCPConn))
	conn.Close()
	return waits, errors.Join(err, <-stopped)
}

// acknowledged waits until all that was written is acknowledged, or the connection reset.
func acknowledged(sock syscall.Conn) (yes bool, err error) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return false, err
	}
	const reset = 7 // TCP_CLOSE in include/net/tcp_states.h
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(time.Millisecond) {
		var info *unix.TCPInfo
		cerr := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
		if err := errors.Join(cerr, err); err != nil {
			return false, err
		}
		if info.State == reset || info.Unacked == 0 {
			return info.State != reset, nil
		}
	}
	return false, errors.New("neither an acknowledgement nor a reset in a minute")
}
