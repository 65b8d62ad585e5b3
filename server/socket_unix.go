//go:build unix

package fasthttp

import (
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// canPeek says that received works here.
const canPeek = true

// received says whether bytes wait in a socket's receive buffer. It does not
// read them: recv(2) with MSG_PEEK. It goes through
// Control, as RawConn.Read would refuse after an expired deadline.
func received(sock syscall.Conn) bool {
	var b [1]byte
	return peek(sock, b[:]) > 0
}

// peek copies into b what a socket has received, and says how much that was.
func peek(sock syscall.Conn, b []byte) (n int) {
	err := control(sock, func(fd int) (err error) {
		for {
			if n, _, err = unix.Recvfrom(fd, b, unix.MSG_PEEK|msgDontWait); err != unix.EINTR {
				return err
			}
		}
	})
	if err != nil {
		return 0
	}
	return n
}

// requestReceived says whether a socket has received something that is not the end
// of a line: those before a request are none (RFC 9112 section 2.2). So many of them
// that they fill its buffer count as one.
func requestReceived(sock syscall.Conn) bool {
	b := scrap.Get().(*[4 << 10]byte) //nolint:forcetypeassert
	defer scrap.Put(b)
	n := peek(sock, b[:])
	return n == len(b) || lineEnds(b[:n]) < n
}

// discard reads from c and throws away, until the limit, an error, or the end. It says
// whether there was more than line ends. A socket that waits holds no buffer, and one
// whose FIN has come needs no deadline.
func discard(c net.Conn, limit int, deadline time.Time) (request bool, err error) {
	sock, _ := stream(c)
	if sock == nil || net.Conn(sock) != c { // its Read may do more than the socket's
		return discardRead(c, limit, deadline)
	}
	raw, err := sock.SyscallConn()
	if err != nil {
		return false, err
	}
	read := func(fd uintptr) (done bool) {
		b := scrap.Get().(*[4 << 10]byte) //nolint:forcetypeassert
		defer scrap.Put(b)
		for limit > 0 {
			var n int
			switch n, err = unix.Read(int(fd), b[:min(len(b), limit)]); {
			case err == unix.EAGAIN:
				return false
			case err == unix.EINTR:
				continue
			case err != nil:
				return true
			case n == 0:
				err = io.EOF
				return true
			}
			limit -= n
			request = request || lineEnds(b[:n]) < n
		}
		return true
	}
	done := false
	rerr := raw.Control(func(fd uintptr) { done = read(fd) })
	if rerr == nil && !done {
		_ = sock.SetReadDeadline(deadline)
		rerr = raw.Read(read)
	}
	if rerr != nil {
		return request, rerr
	}
	return request, err
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
