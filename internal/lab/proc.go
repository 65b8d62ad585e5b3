package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// command is how to start a server.
type command struct {
	path string
	args []string
	env  []string // beside the lab's own environment
}

// The two lines of a server's output that the lab reads.
var (
	addressLine = regexp.MustCompile(`^listening on (\S+:\d+)$`)
	servedLine  = regexp.MustCompile(`^served (\d+) requests`)
)

// process is a server under test.
type process struct {
	cmd    *exec.Cmd
	stdout *lines
	stderr *tail
	exited chan struct{} // closed when the process has exited
	err    error         // of its exit; valid once exited is closed
	killed bool
}

// start starts a server and waits until it says where it listens. The process is
// killed when ctx ends. Call kill in any case, to be sure that nothing is left.
func start(ctx context.Context, c command) (p *process, addr string, err error) {
	p = &process{
		cmd:    exec.CommandContext(ctx, c.path, append([]string{"-addr", "127.0.0.1:0"}, c.args...)...),
		stdout: &lines{first: make(chan string, 1)},
		stderr: &tail{},
		exited: make(chan struct{}),
	}
	p.cmd.Stdout = p.stdout
	p.cmd.Stderr = p.stderr
	p.cmd.Env = append(os.Environ(), c.env...)
	// A Ctrl-C in the terminal is for the lab, which then ends its servers.
	ownProcessGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("starting the server: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()

	bound := time.NewTimer(startBound)
	defer bound.Stop()
	select {
	case line := <-p.stdout.first:
		m := addressLine.FindStringSubmatch(line)
		if m == nil {
			p.kill()
			return nil, "", fmt.Errorf("%s: the first line of output is %q, and not the address it listens on", c.path, line)
		}
		return p, m[1], nil
	case <-p.exited:
		return nil, "", fmt.Errorf("%s ended before it listened: %v%s", c.path, p.err, p.stderr.quote())
	case <-bound.C:
		p.kill()
		return nil, "", fmt.Errorf("%s does not say where it listens after %v%s", c.path, startBound, p.stderr.quote())
	}
}

// startBound is how long a server may take until it listens.
const startBound = 20 * time.Second

// stop sends SIGTERM and waits for the exit of the process. After the bound it
// is killed. It returns the time from the signal to the exit.
func (p *process) stop(bound time.Duration) (time.Duration, error) {
	begin := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.kill()
		return 0, fmt.Errorf("sending SIGTERM: %w%s", err, p.stderr.quote())
	}
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.kill()
	}
	return time.Since(begin), nil
}

// kill ends the process if it still runs, and waits for that.
func (p *process) kill() {
	select {
	case <-p.exited:
		return
	default:
	}
	p.killed = true
	p.cmd.Process.Kill()
	<-p.exited
}

// exit names how the process ended: its exit code, "killed" if it did not end by
// itself, or the signal that ended it. Call it after the exit.
func (p *process) exit() string {
	if p.killed {
		return exitKilled
	}
	var exit *exec.ExitError
	switch {
	case p.err == nil:
		return exitClean
	case errors.As(p.err, &exit):
		if exit.ExitCode() >= 0 {
			return strconv.Itoa(exit.ExitCode())
		}
		return exit.String()
	default:
		return p.err.Error()
	}
}

const (
	exitClean  = "0"
	exitKilled = "killed"
)

// executed returns how many requests the server says it executed. Call it after
// the exit.
func (p *process) executed() (n int, known bool) {
	m := servedLine.FindStringSubmatch(p.stdout.last())
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil
}

// lines takes the output of a process and keeps its last line; the first is sent
// on a channel as soon as it is complete.
type lines struct {
	first chan string // buffered

	mu      sync.Mutex
	sent    bool
	partial []byte
	final   string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, b...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(b), nil
		}
		l.final = string(line)
		l.partial = rest
		if !l.sent {
			l.sent = true
			l.first <- l.final
		}
	}
}

func (l *lines) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.final
}

// tail keeps the last bytes of what a process writes, for error messages.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 2 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

// quote returns what was kept as an appendix to an error message.
func (t *tail) quote() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.buf))
	if text == "" {
		return ""
	}
	return "\nits standard error:\n" + text
}
