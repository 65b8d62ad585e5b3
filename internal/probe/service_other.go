//go:build !unix

package probe

import (
	"errors"
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

func groupLives(int) bool { return false }

func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() }

// ParseSignal fails: no other system than Unix has signals to stop a service with.
func ParseSignal(string) (os.Signal, error) {
	return nil, errors.New("there are no signals on this system: run it on a Unix system")
}

func signalName(sig os.Signal) string { return sig.String() }

// Shell is the command that runs a line of shell.
func Shell(line string) []string { return []string{"cmd", "/C", line} }
