package process

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// The ways of a process to end that have a name of their own; see [Running.Exit].
const (
	ExitClean  = "0"
	ExitKilled = "killed"
)

// Running is a process, from its start on.
type Running struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has exited
	err    error         // of its exit; valid once exited is closed
	killed bool
}

// Run starts a command in a process group of its own: a Ctrl-C in the terminal is for
// the one who runs this, who then ends the process. start starts it; nil is
// [exec.Cmd.Start]. Call Kill in any case, to be sure that nothing is left.
//
// The command's end is waited for here, so do not use its StdoutPipe, which that closes.
func Run(cmd *exec.Cmd, start func(*exec.Cmd) error) (*Running, error) {
	if start == nil {
		start = (*exec.Cmd).Start
	}
	ownProcessGroup(cmd)
	if err := start(cmd); err != nil {
		return nil, err
	}
	r := &Running{cmd: cmd, exited: make(chan struct{})}
	go func() {
		r.err = cmd.Wait()
		close(r.exited)
	}()
	return r, nil
}

// PID is the process's number.
func (r *Running) PID() int { return r.cmd.Process.Pid }

// Exited is closed when the process has exited.
func (r *Running) Exited() <-chan struct{} { return r.exited }

// Terminate sends SIGTERM.
func (r *Running) Terminate() error {
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("sending SIGTERM: %w", err)
	}
	return nil
}

// Wait waits for the exit of the process. After the bound it is killed.
func (r *Running) Wait(bound time.Duration) {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-r.exited:
	case <-timer.C:
		r.Kill()
	}
}

// Stop sends SIGTERM and waits for the exit of the process. After the bound it
// is killed. It returns the time from the signal to the exit. That the process had
// exited before is an error.
func (r *Running) Stop(bound time.Duration) (time.Duration, error) {
	begin := time.Now()
	if err := r.Terminate(); err != nil {
		r.Kill()
		return 0, err
	}
	r.Wait(bound)
	return time.Since(begin), nil
}

// Kill ends the process, with its group, if it still runs, and waits for that.
func (r *Running) Kill() {
	select {
	case <-r.exited:
		return
	default:
	}
	r.killed = true
	killGroup(r.cmd)
	<-r.exited
}

// Exit names how the process ended: its exit code, "killed" if it did not end by
// itself, or the signal that ended it. Call it after the exit.
func (r *Running) Exit() string {
	if r.killed {
		return ExitKilled
	}
	var exit *exec.ExitError
	switch {
	case r.err == nil:
		return ExitClean
	case errors.As(r.err, &exit):
		if exit.ExitCode() >= 0 {
			return strconv.Itoa(exit.ExitCode())
		}
		return exit.String()
	default:
		return r.err.Error()
	}
}
