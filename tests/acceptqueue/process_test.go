package acceptqueue

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// process is a server under test.
type process struct {
	cmd    *exec.Cmd
	addr   string
	stdout *bufio.Reader
	stderr bytes.Buffer
}

// unprivileged is the user nobody.
var unprivileged = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}

// start starts a server and waits until it listens. start is how: in a
// namespace, or cmd.Start.
func start(t *testing.T, cmd *exec.Cmd, start func(*exec.Cmd) error) *process {
	t.Helper()
	p := &process{cmd: cmd}
	cmd.Stderr = &p.stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p.stdout = bufio.NewReader(out)
	line, err := p.stdout.ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		_ = cmd.Wait()
		t.Fatalf("the server said %q (%v) %s", line, err, &p.stderr)
	}
	p.addr = addr
	return p
}

// stop sends SIGTERM and waits for the exit. The report is empty if the server
// makes none.
func (p *process) stop(t *testing.T) fasthttp.DrainReport {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return p.wait(t)
}

// wait waits for the exit, which has to be in order.
func (p *process) wait(t *testing.T) (report fasthttp.DrainReport) {
	t.Helper()
	hang := time.AfterFunc(bound, func() { _ = p.cmd.Process.Kill() })
	defer hang.Stop()
	text := new(bytes.Buffer)
	_, _ = text.ReadFrom(p.stdout)
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("the server: %v %s", err, &p.stderr)
	}
	if text.Len() > 0 {
		if err := json.Unmarshal(text.Bytes(), &report); err != nil {
			t.Fatalf("the server's report: %v: %q", err, text)
		}
	}
	return report
}
