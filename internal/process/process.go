// Package process runs the example servers, and programs that speak as they do,
// as processes of their own.
//
// Such a program takes -addr, says "listening on ADDRESS" in its first line of
// output, stops at SIGTERM, and says in its last line how many requests it
// executed, "served N requests", and if it counts them, how many handshakes were
// under way when its listener closed, ", N handshakes unfinished", and on how many
// connections bytes arrived too late: ", N late".
package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
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
	// network namespace, of another user, or with more than its log to write to.
	Start func(*exec.Cmd) error
	// Env is added to the environment.
	Env []string
}

// The two lines of a server's output that are read.
var (
	addressLine    = regexp.MustCompile(`^listening on (\S+:\d+)$`)
	servedLine     = regexp.MustCompile(`^served (\d+) requests`)
	unfinishedLine = regexp.MustCompile(`, (\d+) handshakes unfinished`)
	lateLine       = regexp.MustCompile(`, (\d+) late$`)
)

// Process is a running server.
type Process struct {
	// Addr is the address that it listens on.
	Addr string

	*Running
	stdout *Lines
	stderr *Tail
}

// Start starts a server and waits until it says where it listens. The process is
// killed when ctx ends. Call Kill in any case, to be sure that nothing is left.
func Start(ctx context.Context, c Command) (*Process, error) {
	addr := c.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	p := &Process{stdout: NewLines(), stderr: new(Tail)}
	cmd := exec.CommandContext(ctx, c.Path, append([]string{"-addr", addr}, c.Args...)...)
	cmd.Stdout = p.stdout
	cmd.Stderr = p.stderr
	cmd.Env = append(os.Environ(), c.Env...)
	var err error
	if p.Running, err = Run(cmd, c.Start); err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}

	line, said := p.stdout.Await(p.Running, startBound, nil)
	if m := addressLine.FindStringSubmatch(line); m != nil {
		p.Addr = m[1]
		return p, nil
	}
	if said {
		p.Kill()
		return nil, fmt.Errorf("%s: the first line of output is %q, and not the address it listens on", c.Path, line)
	}
	select {
	case <-p.exited:
		if err := ctx.Err(); err != nil {
			return nil, err // it was killed for that
		}
		return nil, fmt.Errorf("%s ended before it listened: %v%s", c.Path, p.err, p.Stderr())
	default:
		p.Kill()
		return nil, fmt.Errorf("%s does not say where it listens after %v%s", c.Path, startBound, p.Stderr())
	}
}

// startBound is how long a server may take until it listens.
const startBound = 30 * time.Second

// Stderr returns the end of what the process has written to standard error, as
// an appendix to an error message.
func (p *Process) Stderr() string { return p.stderr.Quote("its standard error") }

// Stop is [Running.Stop], with what the process has written in its error.
func (p *Process) Stop(bound time.Duration) (time.Duration, error) {
	took, err := p.Running.Stop(bound)
	if err != nil {
		err = fmt.Errorf("%w%s", err, p.Stderr())
	}
	return took, err
}

// LastLine returns the last line of the output so far.
func (p *Process) LastLine() string { return p.stdout.Last() }

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

// Unfinished returns the number of handshakes that were under way when the listener
// closed, if the server counts them. Call it after the exit.
func (p *Process) Unfinished() (n int, known bool) {
	return p.said(unfinishedLine)
}

func (p *Process) said(what *regexp.Regexp) (n int, known bool) {
	m := what.FindStringSubmatch(p.LastLine())
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil
}
