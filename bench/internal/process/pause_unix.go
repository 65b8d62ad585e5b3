//go:build unix

package process

import (
	"os"
	"syscall"
)

// Pause stops a process where it is, until Resume. It does not wait until it has
// stopped.
func Pause(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

// Resume lets a process that is paused go on.
func Resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
