//go:build !linux

package fasthttp

import "syscall"

// acceptQueue cannot be asked for here.
func acceptQueue(syscall.Conn) (length, limit int, ok bool) { return 0, 0, false }

// interruptThreads cannot say here which threads there are.
func interruptThreads() {}

// unacknowledged cannot be asked for here.
func unacknowledged(syscall.Conn) (n int, ok bool) { return 0, false }
