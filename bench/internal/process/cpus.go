package process

import (
	"fmt"
	"os/exec"
	"runtime"
)

// Halves splits the processors between a server and its clients, so that the
// scheduler's choice, which differs from run to run, is none: it returns the
// words to put before each command. They are empty where that cannot be done.
func Halves() (server, clients []string) {
	n := runtime.NumCPU()
	taskset, err := exec.LookPath("taskset")
	if err != nil || n < 2 {
		return nil, nil
	}
	return []string{taskset, "-c", list(0, n/2)}, []string{taskset, "-c", list(n/2, n)}
}

func list(from, to int) string { return fmt.Sprintf("%d-%d", from, to-1) }
