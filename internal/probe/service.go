package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
)

// service is a process that the probe has started. It is none of process.Run, which
// neither notes when it ended nor looks for what has outlived it in its group.
type service struct {
	name   string
	cmd    *exec.Cmd
	output *process.Tail
	read   chan struct{} // closed when all output is there
	began  time.Time
	exited chan struct{} // closed when it has ended
	ended  time.Time     // valid once exited is closed
	err    error         // of its end
	killed bool
	strays bool // processes of its group outlived it

	// handles says that there was a handler for the signal, if it could be looked up.
	handles, looked bool
}

// startService starts a program in a process group of its own, so that a Ctrl-C in the
// terminal is for the probe, which then ends it.
func startService(args []string, env ...string) (*service, error) {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return nil, fmt.Errorf("there is no such program: %w", err)
	}
	s := &service{name: args[0], cmd: exec.Command(path, args[1:]...), output: new(process.Tail), read: make(chan struct{}), exited: make(chan struct{})}
	s.cmd.Args[0] = args[0]
	s.cmd.Env = append(os.Environ(), env...)
	ownGroup(s.cmd)
	// Not the copying of os/exec: its Wait would wait for whoever else has the pipe.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stdout, s.cmd.Stderr = w, w
	s.began = time.Now()
	err = s.cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("starting %s: %w", s.name, err)
	}
	go func() {
		defer close(s.read)
		io.Copy(s.output, r)
		r.Close()
	}()
	go func() {
		s.err = s.cmd.Wait()
		s.ended = time.Now()
		close(s.exited)
	}()
	return s, nil
}

// poll is how often the start of a service is looked at.
const poll = 10 * time.Millisecond

// await waits until the service listens, where its URL or its sockets say, and returns
// the target. Busy says whether somebody else listened there before.
func (s *service) await(ctx context.Context, known *target, find func(pid int) (*target, error), bound time.Duration) (*target, error) {
	deadline := time.After(bound)
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		t, err := known, error(nil)
		if t == nil {
			if t, err = find(s.cmd.Process.Pid); err != nil {
				return nil, err
			}
		}
		if t != nil && t.listens(ctx, time.Second) {
			return t, nil
		}
		select {
		case <-s.exited:
			hint := ""
			if s.err == nil {
				hint = " (if it goes into the background, tell it to stay in the foreground)"
			}
			return nil, fmt.Errorf("%s ended before it listened: %s%s%s", s.name, s.exit(), hint, s.said())
		case <-deadline:
			where := ""
			if known != nil {
				where = " on " + known.addr
			}
			return nil, fmt.Errorf("%s does not listen%s after %v: is the address right? (-start gives it more time)%s", s.name, where, bound, s.said())
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// listens reports whether somebody accepts connections within the bound.
func (t *target) listens(ctx context.Context, bound time.Duration) bool {
	d := net.Dialer{Timeout: bound}
	conn, err := d.DialContext(ctx, "tcp", t.addr)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// strayPause is how long a process may outlive the one that is stopped.
const strayPause = 100 * time.Millisecond

// stop sends the signal and waits for the end of the process. After the grace it, and
// all of its group, is killed. What has outlived it in its group is killed as well, as
// it would hold the address. If ctx ends before, it is left as it is: a kill would be a
// loss to the clients.
func (s *service) stop(ctx context.Context, sig os.Signal, grace time.Duration) error {
	s.handles, s.looked = handles(s.cmd.Process.Pid, sig)
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.kill()
		return fmt.Errorf("sending the signal: %w", err)
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-s.exited:
		if groupLives(s.cmd.Process.Pid) {
			// What ends together with it is no stray.
			time.Sleep(strayPause)
			s.strays = groupLives(s.cmd.Process.Pid)
		}
	case <-timer.C:
		s.killed = true
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	s.kill()
	return nil
}

// kill ends what is left of the service.
func (s *service) kill() {
	killGroup(s.cmd)
	<-s.exited
}

// signaled is the signal that ended the process, if one did.
func (s *service) signaled() (sig syscall.Signal, ok bool) {
	var exit *exec.ExitError
	if errors.As(s.err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return status.Signal(), true
		}
	}
	return 0, false
}

// endedBy is before the name of a signal.
const endedBy = "ended by "

// exit says how the process ended: "exit code 0", "killed", or by which signal.
func (s *service) exit() string {
	if s.killed {
		return "killed"
	}
	if sig, ok := s.signaled(); ok {
		return endedBy + signalName(sig)
	}
	return fmt.Sprintf("exit code %d", s.cmd.ProcessState.ExitCode())
}

// outputBound is how long the output of a process that has ended is waited for:
// another may hold the pipe.
const outputBound = time.Second

// said returns the end of its output as an appendix to an error message.
func (s *service) said() string {
	select {
	case <-s.exited:
		select {
		case <-s.read:
		case <-time.After(outputBound):
		}
	default:
	}
	return s.output.Quote("its output ends with")
}
