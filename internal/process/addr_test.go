package process

import (
	"net"
	"strconv"
	"testing"
	"time"
)

// What listens on port 0, or connects, must not get a port that was given away.
func TestFreeAddrIsNoneThatTheSystemGives(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		addr, err := FreeAddr()
		if err != nil {
			t.Fatal(err)
		}
		_, text, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		if port, err := strconv.Atoi(text); err != nil || port >= 32768 || port < 1024 {
			t.Errorf("port %s (%v): Linux gives those from 32768 on to whoever asks for any", text, err)
		}
		if seen[addr] {
			t.Errorf("%s was given twice", addr)
		}
		seen[addr] = true
	}
}

func TestAwaitRefused(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := AwaitRefused(ln.Addr().String(), 100*time.Millisecond); err == nil {
		t.Error("no error while somebody listens")
	}
	addr, err := FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	if err := AwaitRefused(addr, time.Minute); err != nil {
		t.Error(err)
	}
}
