//go:build unix

package fasthttp

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// canPeek says that received works here.
const canPeek = true

// received says whether bytes wait in a socket's receive buffer. It does not
// read them: recv(2) with MSG_PEEK. It goes through
// Control, as RawConn.Read would refuse after an expired deadline.
func received(sock syscall.Conn) bool {
	raw, err := sock.SyscallConn()
	if err != nil {
		return false
	}
	var n int
	cerr := raw.Control(func(fd uintptr) {
		var b [1]byte
		for {
			n, _, err = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			if err != unix.EINTR {
				return
			}
		}
	})
	return cerr == nil && err == nil && n > 0
}

// acceptable says whether a connection waits in a listening socket's accept
// queue: poll(2) with no timeout. ok is false if the socket cannot tell.
func acceptable(ln syscall.Conn) (waits, ok bool) {
	raw, err := ln.SyscallConn()
	if err != nil {
		return false, false
	}
	err = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} // #nosec G115
		for {
			n, perr := unix.Poll(fds, 0)
			if perr == unix.EINTR {
				continue
			}
			waits, ok = n > 0 && fds[0].Revents&unix.POLLIN != 0, perr == nil
			return
		}
	})
	return waits, ok && err == nil
}
