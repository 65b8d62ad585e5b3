//go:build !linux

package main

import (
	"errors"
	"syscall"
)

// sharePort fails: elsewhere SO_REUSEPORT is missing, or does not spread
// connections.
func sharePort(_, _ string, _ syscall.RawConn) error {
	return errors.New("-reuseport works on Linux only")
}
