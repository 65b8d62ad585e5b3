// Package process runs the example servers, and programs that speak as they do,
// as processes of their own.
//
// Such a program takes -addr, says "listening on ADDRESS" in its first line of
// output, stops at SIGTERM, and says in its last line how many requests it
// executed, "served N requests", and if it counts them, on how many connections
// bytes arrived too late: ", N late".
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// Command is how to start a server.
type Command struct {
	// Path of the program, and its arguments beside -addr.
	Path string
	Args []string
	// Addr is the address to listen on; empty is a free port of 127.0.0.1.
	Addr string
	// Start starts it; nil is [exec.Cmd.Start]. It is for a process in another
	// network namespace.
	Start func(*exec.Cmd) error
	// Env is added to the environment.
	Env []string
}

// The ways of a process to end that have a name of their own; see [Process.Exit].
const (
	ExitClean  = "0"
	ExitKilled = "killed"
)

// The two lines of a server's output that are read.
var (
	addressLine = regexp.MustCompile(`^listening on (\S+:\d+)$`)
	servedLine  = regexp.MustCompile(`^served (\d+) requests`)
	lateLine    = regexp.MustCompile(`, (\d+) late$`)
)

// Process is a running server.
type Process struct {
	// Addr is the address that it listens on.
	Addr string

	cmd    *exec.Cmd
	stdout *lines
	stderr *Tail
	exited chan struct{} // closed when the process has exited
	err    error         // of its exit; valid once exited is closed
	killed bool
}

// Start starts a server and waits until it says where it listens. The process is
// killed when ctx ends. Call Kill in any case, to be sure that nothing is left.
func Start(ctx context.Context, c Command) (*Process, error) {
	addr := c.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	p := &Process{
		cmd:    exec.CommandContext(ctx, c.Path, append([]string{"-addr", addr}, c.Args...)...),
		stdout: &lines{first: make(chan string, 1)},
		stderr: new(Tail),
		exited: make(chan struct{}),
	}
	p.cmd.Stdout = p.stdout
	p.cmd.Stderr = p.stderr
	p.cmd.Env = append(os.Environ(), c.Env...)
	// A Ctrl-C in the terminal is for the one who runs this, who then ends the servers.
	ownProcessGroup(p.cmd)
	begin := c.Start
	if begin == nil {
		begin = (*exec.Cmd).Start
	}
	if err := begin(p.cmd); err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
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
			p.Kill()
			return nil, fmt.Errorf("%s: the first line of output is %q, and not the address it listens on", c.Path, line)
		}
		p.Addr = m[1]
		return p, nil
	case <-p.exited:
		if err := ctx.Err(); err != nil {
			return nil, err // it was killed for that
		}
		return nil, fmt.Errorf("%s ended before it listened: %v%s", c.Path, p.err, p.quote())
	case <-bound.C:
		p.Kill()
		return nil, fmt.Errorf("%s does not say where it listens after %v%s", c.Path, startBound, p.quote())
	}
}

// startBound is how long a server may take until it listens.
const startBound = 20 * time.Second

// Exited is closed when the process has exited.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Stderr returns the end of what the process has written to standard error, as
// an appendix to an error message.
func (p *Process) Stderr() string { return p.quote() }

func (p *Process) quote() string { return p.stderr.Quote("its standard error") }

// Stop sends SIGTERM and waits for the exit of the process. After the bound it
// is killed. It returns the time from the signal to the exit.
func (p *Process) Stop(bound time.Duration) (time.Duration, error) {
	begin := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.Kill()
		return 0, fmt.Errorf("sending SIGTERM: %w%s", err, p.quote())
	}
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.Kill()
	}
	return time.Since(begin), nil
}

// Kill ends the process if it still runs, and waits for that.
func (p *Process) Kill() {
	select {
	case <-p.exited:
		return
	default:
	}
	p.killed = true
	p.cmd.Process.Kill()
	<-p.exited
}

// Exit names how the process ended: its exit code, "killed" if it did not end by
// itself, or the signal that ended it. Call it after the exit.
func (p *Process) Exit() string {
	if p.killed {
		return ExitKilled
	}
	var exit *exec.ExitError
	switch {
	case p.err == nil:
		return ExitClean
	case errors.As(p.err, &exit):
		if exit.ExitCode() >= 0 {
			return strconv.Itoa(exit.ExitCode())
		}
		return exit.String()
	default:
		return p.err.Error()
	}
}

// Executed returns how many requests the server says it executed. Call it after
// the exit.
func (p *Process) Executed() (n int, known bool) {
	return p.said(servedLine)
}

// Late returns the number of connections on which bytes arrived after the last
// look, if the server counts them. Call it after the exit.
func (p *Process) Late() (n int, known bool) {
	return p.said(lateLine)
}

func (p *Process) said(what *regexp.Regexp) (n int, known bool) {
	m := what.FindStringSubmatch(p.stdout.last())
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil
}
