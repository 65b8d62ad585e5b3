//go:build unix

package fasthttp

import (
	"io"
	"net"
	"sync"
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

// scrap has buffers for what discard reads.
var scrap = sync.Pool{New: func() any { return new([4 << 10]byte) }}

// discard reads from c and throws away, until the limit, an error, or the end.
// A socket that waits holds no buffer.
func discard(c net.Conn, limit int64) (n int64, err error) {
	sock, _ := stream(c)
	if sock == nil || net.Conn(sock) != c { // its Read may do more than the socket's
		return io.CopyN(io.Discard, c, limit)
	}
	raw, err := sock.SyscallConn()
	if err != nil {
		return 0, err
	}
	rerr := raw.Read(func(fd uintptr) bool {
		b := scrap.Get().(*[4 << 10]byte) //nolint:forcetypeassert
		defer scrap.Put(b)
		for n < limit {
			var m int
			switch m, err = unix.Read(int(fd), b[:min(int64(len(b)), limit-n)]); {
			case err == unix.EAGAIN:
				return false
			case err == unix.EINTR:
				continue
			case err != nil:
				return true
			case m == 0:
				err = io.EOF
				return true
			}
			n += int64(m)
		}
		return true
	})
	if rerr != nil {
		return n, rerr
	}
	return n, err
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

// stopIfEmpty stops a listening TCP socket if its accept queue is empty, with
// nothing between the look and the stop but the two system calls. Closing the
// net.Listener comes some microseconds later, in which the kernel would complete
// connections only to reset them. shutdown(2) of a listening socket ends its
// listening (inet_shutdown in net/ipv4/af_inet.c); where it does not, the close
// does.
func stopIfEmpty(ln syscall.Conn) bool {
	_, tcp := ln.(*net.TCPListener)
	empty := false
	err := control(ln, func(fd int) error {
		waits, err := pollAccept(fd)
		if err != nil || waits {
			return err
		}
		if tcp {
			_ = unix.Shutdown(fd, unix.SHUT_RD)
		}
		empty = true
		return nil
	})
	return empty || err != nil
}

// unblock wakes an Accept that no deadline wakes, as the listener's descriptor
// blocks. That happens to a process that hands its listener on: os/exec takes
// the descriptor of TCPListener.File with File.Fd, which sets it to blocking, and
// both share the flag (O_NONBLOCK is one of the open file description, see
// fcntl(2)). Closing the listener would not wake it either, but wait for it.
//
// If others have the socket they may want it to block. Then restore is not nil,
// and makes it so again when the listener has been closed.
func unblock(ln any) (restore func()) {
	sc, ok := ln.(syscall.Conn)
	if !ok || !blocks(sc) {
		return nil
	}
	shared := sharedSocket(sc) != nil
	_ = control(sc, func(fd int) error {
		if shared {
			// Without one the flag stays, which is better than to hang.
			if dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err == nil {
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

// blocks says whether a socket is in blocking mode.
func blocks(sc syscall.Conn) (is bool) {
	_ = control(sc, func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		is = err == nil && flags&unix.O_NONBLOCK == 0
		return err
	})
	return is
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
