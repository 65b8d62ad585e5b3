//go:build unix

package probe

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

func killGroup(cmd *exec.Cmd) {
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}

// ParseSignal returns a signal by its name, such as TERM or SIGQUIT.
func ParseSignal(name string) (os.Signal, error) {
	full := strings.ToUpper(name)
	if !strings.HasPrefix(full, "SIG") {
		full = "SIG" + full
	}
	if n := unix.SignalNum(full); n != 0 {
		return n, nil
	}
	return nil, fmt.Errorf("there is no signal %q: TERM, INT, QUIT and the like", name)
}

func signalName(sig os.Signal) string {
	if s, ok := sig.(syscall.Signal); ok && unix.SignalName(s) != "" {
		return unix.SignalName(s)
	}
	return sig.String()
}

// Shell is the command that runs a line of shell. A single program takes the place of
// the shell, so that a signal reaches it; an assignment before it, or what only the
// shell knows, is none.
func Shell(line string) []string {
	if first := strings.Fields(line); len(first) > 0 && !strings.ContainsAny(line, ";&|\n") {
		if _, err := exec.LookPath(first[0]); err == nil {
			line = "exec " + line
		}
	}
	return []string{"sh", "-c", line}
}
