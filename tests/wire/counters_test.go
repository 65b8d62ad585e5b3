//go:build linux

package wire

import (
	"fmt"
	"os"
	"testing"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/fastdrain/fastdrain/tests/internal/link"
)

// counters are the kernel's counters of one network namespace that tell of
// resets: Linux, include/uapi/linux/snmp.h.
type counters struct {
	// outRsts: segments sent with RST, be it for a connection that is aborted, a
	// segment that belongs to none, or a SYN to a port without a listener.
	outRsts int
	// abortOnClose: connections reset because they were closed with bytes unread
	// (net/ipv4/tcp.c, __tcp_close).
	abortOnClose int
	// abortOnData: connections reset because bytes arrived after the close, or
	// that were closed with a linger time of 0 (net/ipv4/tcp_input.c,
	// tcp_rcv_state_process; net/ipv4/tcp.c, __tcp_close).
	abortOnData int
}

// count reads the counters of a namespace.
func count(t *testing.T, n *link.Namespace) (c counters) {
	t.Helper()
	err := n.Do(func() error {
		// The counters are those of the reading thread's namespace.
		thread, err := procfs.NewProc(os.Getpid())
		if err == nil {
			thread, err = thread.Thread(unix.Gettid())
		}
		if err != nil {
			return err
		}
		snmp, err := thread.Snmp()
		if err != nil {
			return err
		}
		netstat, err := thread.Netstat()
		if err != nil {
			return err
		}
		for _, v := range []struct {
			to   *int
			from *float64
			name string
		}{
			{&c.outRsts, snmp.Tcp.OutRsts, "Tcp OutRsts"},
			{&c.abortOnClose, netstat.TcpExt.TCPAbortOnClose, "TcpExt TCPAbortOnClose"},
			{&c.abortOnData, netstat.TcpExt.TCPAbortOnData, "TcpExt TCPAbortOnData"},
		} {
			if v.from == nil {
				return fmt.Errorf("the kernel has no counter %s", v.name)
			}
			*v.to = int(*v.from)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c counters) plus(d counters) counters {
	return counters{c.outRsts + d.outRsts, c.abortOnClose + d.abortOnClose, c.abortOnData + d.abortOnData}
}

func (c counters) minus(d counters) counters {
	return c.plus(counters{-d.outRsts, -d.abortOnClose, -d.abortOnData})
}

func (c counters) String() string {
	return fmt.Sprintf("%d RST sent, %d closed with bytes unread, %d with bytes after the close", c.outRsts, c.abortOnClose, c.abortOnData)
}
