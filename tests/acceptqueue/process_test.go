package acceptqueue

import (
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/internal/process"
)

// instance is a server under test.
type instance struct{ *process.Process }

// unprivileged makes a command one of the user nobody.
func unprivileged(cmd *exec.Cmd) {
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
}

// start starts a server and waits until it listens. as, if not nil, says as whom.
func start(t *testing.T, c process.Command, as func(*exec.Cmd)) instance {
	t.Helper()
	if begin := c.Start; as != nil {
		c.Start = func(cmd *exec.Cmd) error {
			as(cmd)
			return begin(cmd)
		}
	}
	p, err := process.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return instance{p}
}

// account is what a server says of its stop: its report, and how late its timers were
// at worst.
type account struct {
	fasthttp.DrainReport
	Stall time.Duration
}

// stop sends SIGTERM and waits for the exit. The report is empty if the server
// makes none.
func (i instance) stop(t *testing.T) account {
	t.Helper()
	i.terminate(t)
	return i.wait(t)
}

// terminate sends SIGTERM.
func (i instance) terminate(t *testing.T) {
	t.Helper()
	if err := i.Terminate(); err != nil {
		t.Fatal(err)
	}
}

// wait waits for the exit, which has to be in order.
func (i instance) wait(t *testing.T) (report account) {
	t.Helper()
	i.Wait(bound)
	if i.Exit() != process.ExitClean {
		t.Fatalf("the server ended with %s%s", i.Exit(), i.Stderr())
	}
	if line := i.LastLine(); strings.HasPrefix(line, "{") {
		if err := json.Unmarshal([]byte(line), &report); err != nil {
			t.Fatalf("the server's report: %v: %q", err, line)
		}
	}
	return report
}
