//go:build unix

package observe

import "syscall"

// ownGroup keeps a Ctrl-C in the terminal from a process: who started it stops
// it, in the right order.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
