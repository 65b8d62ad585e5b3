//go:build unix

package acceptqueue

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// acceptable says whether a connection waits in a listening socket's accept
// queue: poll(2) with no timeout. ok is false if the socket cannot tell.
func acceptable(sock socket) (waits, ok bool) {
	err := control(sock, func(fd int) error {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} // #nosec G115
		for {
			if _, err := unix.Poll(fds, 0); err != unix.EINTR {
				waits = fds[0].Revents&unix.POLLIN != 0
				return err
			}
		}
	})
	return waits, err == nil
}

// unblock wakes an Accept that no deadline wakes, as the listener's descriptor
// blocks. That happens to a process that hands its listener on: os/exec takes
// the descriptor of TCPListener.File with File.Fd, which sets it to blocking, and
// both share the flag (O_NONBLOCK is one of the open file description, see
// fcntl(2)). Closing the listener would not wake it either, but wait for it.
//
// If others have the socket they may want it to block. Then restore is not nil,
// and makes it so again when the listener has been closed.
func unblock(sock socket, conns Descriptors) (restore func()) {
	if !blocks(sock) {
		return nil
	}
	others := shared(sock, conns) != nil
	_ = control(sock, func(fd int) error {
		if others {
			// Without one the flag stays, which is better than to hang.
			if dup, err := duplicate(fd); err == nil {
				restore = func() {
					_ = unix.SetNonblock(dup, false)
					_ = unix.Close(dup)
				}
			}
		}
		return unix.SetNonblock(fd, true)
	})
	interruptThreads()
	return restore
}

// duplicate returns another descriptor of what fd is, which a program that is
// executed does not get.
func duplicate(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	dup, err := unix.Dup(fd)
	if err == nil {
		unix.CloseOnExec(dup)
	}
	return dup, err
}

// blocks says whether a socket is in blocking mode.
func blocks(sock socket) (is bool) {
	_ = control(sock, func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		is = err == nil && flags&unix.O_NONBLOCK == 0
		return err
	})
	return is
}

// control calls f with a socket's descriptor.
func control(sock socket, f func(fd int) error) error {
	raw, err := sock.SyscallConn()
	if err != nil {
		return err
	}
	if cerr := raw.Control(func(fd uintptr) { err = f(int(fd)) }); cerr != nil {
		return cerr
	}
	return err
}
