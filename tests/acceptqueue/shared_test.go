package acceptqueue

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/tests/internal/link"
)

// Two processes accept from one socket, as the children of a prefork server do
// and those of systemd's socket activation. One stops: the socket goes on
// listening for the other, and no client is lost or refused.
func TestStopOneOfTwoOnASocket(t *testing.T) {
	l := link.Open(t, oneWay)
	var shared *os.File
	err := l.Server.Do(func() error {
		ln, err := net.Listen("tcp4", l.Server.IPv4.String()+":0")
		if err != nil {
			return err
		}
		defer ln.Close()
		shared, err = ln.(*net.TCPListener).File()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	binary := build(t, "tests/acceptqueue/server", patched, "")
	run := func() instance {
		return start(t, process.Command{Path: binary, Args: []string{"-inherited"}, Start: l.Server.Start}, func(cmd *exec.Cmd) {
			cmd.ExtraFiles = []*os.File{shared}
			unprivileged(cmd)
		})
	}
	var sum tally
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	staying := run()
	c := &clients{addr: staying.Addr, tally: &sum, ctx: ctx}
	c.start(t, clientCount, l.Client.Do)
	for range *stops {
		leaving := run()
		sum.more(t, ctx, 2*clientCount)
		for _, q := range leaving.stop(t).Listeners {
			if q.Strategy != "poll" || !strings.Contains(q.Why, "passed to this process") {
				t.Errorf("listener %+v, want it polled, because the socket is shared", q)
			}
		}
	}
	sum.more(t, ctx, clientCount)
	cancel()
	c.running.Wait()
	staying.stop(t)
	t.Logf("%d stops: %v", *stops, &sum)
	if sum.lost > 0 || sum.refused > 0 {
		t.Errorf("%d connections lost, %d refused", sum.lost, sum.refused)
	}
}
