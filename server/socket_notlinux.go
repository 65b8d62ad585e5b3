//go:build !linux

package fasthttp

import "syscall"

// acceptQueue cannot be asked for here.
func acceptQueue(syscall.Conn) (length, limit int, ok bool) { return 0, 0, false }

// unacknowledged cannot be asked for here.
func unacknowledged(syscall.Conn) (n int, ok bool) { return 0, false }

// A listening socket is left by its close here.
func spareSocket() int     { return -1 }
func leaveSocket(_, _ int) {}
func closeSpare(int)       {}
