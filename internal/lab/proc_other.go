//go:build !unix

package lab

import "os/exec"

func ownProcessGroup(*exec.Cmd) {}
