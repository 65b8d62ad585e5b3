package link

import (
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A round trip takes twice the delay, over either protocol, and processes are
// in the namespace that they were started in.
func TestLinkDelays(t *testing.T) {
	const oneWay = 10 * time.Millisecond
	l := Open(t, oneWay)
	for _, ip := range []netip.Addr{l.Server.IPv4, l.Server.IPv6} {
		var ln net.Listener
		err := l.Server.Do(func() (err error) {
			ln, err = net.Listen("tcp", netip.AddrPortFrom(ip, 0).String())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		err = l.Client.Do(func() error {
			began := time.Now()
			c, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				return err
			}
			took := time.Since(began)
			t.Logf("%v: a connection took %v", ip, took)
			if took < 2*oneWay {
				t.Errorf("%v: a connection took %v, want at least a round trip of %v", ip, took, 2*oneWay)
			}
			return c.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	var out strings.Builder
	cmd := exec.Command("ip", "-o", "address")
	cmd.Stdout = &out
	if err := l.Client.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), l.Client.IPv4.String()) {
		t.Errorf("a process in the client's namespace: %v, and has the addresses\n%s", err, out.String())
	}
}
