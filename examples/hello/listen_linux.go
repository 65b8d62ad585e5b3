package main

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// sharePort sets SO_REUSEPORT before the bind. The kernel then spreads new
// connections over all listeners of the port: socket(7).
func sharePort(_, _ string, conn syscall.RawConn) error {
	var err error
	controlErr := conn.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(controlErr, err)
}
