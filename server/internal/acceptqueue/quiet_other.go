//go:build !linux

package fasthttp

import "syscall"

// sharedSocket cannot find out here whether another process has the socket, and
// an error says that it may have.
func sharedSocket(syscall.Conn) error { return errNotLinux }

func newQuiet(pollStrategy) (queueStrategy, error) { return nil, errNotLinux }
