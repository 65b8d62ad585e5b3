package process

import (
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// The connections of a server that has closed them first are gone, and no others.
func TestForget(t *testing.T) {
	serve := func() string {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		for range 5 {
			c, err := net.Dial("tcp4", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			server, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			_ = server.Close()
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
		return ln.Addr().String()
	}
	waiting := func(addr string) int {
		out, err := exec.CommandContext(t.Context(), "ss", "-Htan", "state", "time-wait").Output()
		if err != nil {
			t.Skip("takes ss(8): ", err)
		}
		return strings.Count(string(out), " "+addr+" ")
	}
	addr, other := serve(), serve()
	if n := waiting(addr); n == 0 {
		t.Skip("this kernel keeps no connections in TIME_WAIT")
	}
	if err := Forget(t.Context(), addr); err != nil {
		t.Skip("takes the right to destroy sockets: ", err)
	}
	if n := waiting(addr); n != 0 {
		t.Errorf("%d connections are left in TIME_WAIT", n)
	}
	if waiting(other) == 0 {
		t.Error("those of another server are gone, too")
	}
}
