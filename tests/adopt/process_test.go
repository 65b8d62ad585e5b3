package consumer

import (
	"bufio"
	"bytes"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// hangTime bounds what should take no time worth mentioning, and a drain that
// should take about a second.
const hangTime = 30 * time.Second

// process is a running service.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	addr   string
	stderr bytes.Buffer
	exited chan error
}

// start runs a program whose first line of output is the address that it
// listens on. The process is killed at the end of the test if it still runs.
func start(t *testing.T, bin string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(bin), exited: make(chan error, 1)}
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			lines <- s.Text()
		}
	}()
	gone := make(chan struct{})
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-gone
	})
	var ok bool
	select {
	case p.addr, ok = <-lines:
	case <-time.After(hangTime):
	}
	go func() {
		defer close(gone)
		for range lines { // so that the process can write, and ends
		}
		p.exited <- p.cmd.Wait()
	}()
	if !ok {
		p.cmd.Process.Kill()
		<-gone
		t.Fatalf("the service did not say its address; its stderr:\n%s", &p.stderr)
	}
	return p
}

// terminate sends SIGTERM.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits for the end of the process and wants exit code 0.
func (p *process) wait() {
	p.t.Helper()
	select {
	case err := <-p.exited:
		if err != nil {
			p.t.Errorf("the service ended with %v, want exit code 0; its stderr:\n%s", err, &p.stderr)
		}
	case <-time.After(hangTime):
		p.t.Fatalf("the service still runs %s after SIGTERM", hangTime)
	}
}
