package probe

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Two ports that are open before the first request: the one found first is not loaded.
func TestSeveralPortsAreNoTarget(t *testing.T) {
	var addrs []string
	for range 2 {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		addrs = append(addrs, ln.Addr().String())
	}
	group, err := syscall.Getpgid(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	_, err = findTarget(group)
	for _, want := range append(addrs, "say which one is to be loaded") {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, and does not have %q", err, want)
		}
	}
}
