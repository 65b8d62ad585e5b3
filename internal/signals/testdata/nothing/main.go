// Command nothing asks for no signal.
package main

import (
	"fmt"
	"os/exec"
	"syscall"
)

func main() {
	cmd := exec.Command("true")
	if cmd.Start() == nil {
		fmt.Println(cmd.Process.Signal(syscall.SIGTERM))
	}
}
