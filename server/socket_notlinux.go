//go:build !linux

package fasthttp

import "syscall"

// unacknowledged cannot be asked for here.
func unacknowledged(syscall.Conn) (n int, ok bool) { return 0, false }
