//go:build unix

package fasthttp

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// canPeek says that received works here.
const canPeek = true

// received says whether bytes wait in a socket's receive buffer. It does not
// read them: recv(2) with MSG_PEEK. It goes through
// Control, as RawConn.Read would refuse after an expired deadline.
func received(sock syscall.Conn) bool {
	var n int
	err := control(sock, func(fd int) (err error) {
		var b [1]byte
		for {
			if n, _, err = unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT); err != unix.EINTR {
				return err
			}
		}
	})
	return err == nil && n > 0
}

// acceptable says whether a connection waits in a listening socket's accept
// queue: poll(2) with no timeout. ok is false if the socket cannot tell.
func acceptable(ln syscall.Conn) (waits, ok bool) {
	err := control(ln, func(fd int) error {
		var err error
		waits, err = pollAccept(fd)
		return err
	})
	return waits, err == nil
}

// stopIfEmpty stops listening on a socket if its accept queue is empty, with
// nothing between the look and the stop but the two system calls. Closing the
// net.Listener comes some microseconds later, in which the kernel would complete
// connections only to reset them. Where leaveSocket does nothing, that close does.
func stopIfEmpty(ln syscall.Conn) bool {
	_, tcp := ln.(*net.TCPListener)
	spare := -1
	if tcp {
		spare = spareSocket()
	}
	empty := false
	err := control(ln, func(fd int) error {
		waits, err := pollAccept(fd)
		if err != nil || waits {
			return err
		}
		leaveSocket(fd, spare)
		empty = true
		return nil
	})
	closeSpare(spare)
	return empty || err != nil
}

func pollAccept(fd int) (waits bool, err error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} // #nosec G115
	for {
		if _, err = unix.Poll(fds, 0); err != unix.EINTR {
			return fds[0].Revents&unix.POLLIN != 0, err
		}
	}
}

// control calls f with a socket's descriptor.
func control(c syscall.Conn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	if cerr := raw.Control(func(fd uintptr) { err = f(int(fd)) }); cerr != nil {
		return cerr
	}
	return err
}
