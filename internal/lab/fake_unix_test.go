//go:build unix

package lab

import (
	"net"

	"golang.org/x/sys/unix"
)

// awaitQueued waits until a connection is in the listener's accept queue.
func awaitQueued(ln net.Listener) {
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		panic(err)
	}
	raw.Control(func(fd uintptr) {
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
			if n > 0 || err != unix.EINTR {
				return
			}
		}
	})
}
