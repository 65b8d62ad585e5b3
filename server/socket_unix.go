//go:build unix

package fasthttp

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// canPeek says that received works here.
const canPeek = true

// received says whether bytes wait in a socket's receive buffer. It does not
// read them: recv(2) with MSG_PEEK.
func received(sock syscall.Conn) bool {
	s := newScrap()
	defer scraps.Put(s)
	return s.received(sock) > 0
}

// requestReceived says whether a socket has received something that is not the end
// of a line: those before a request are none (RFC 9112 section 2.2). So many of them
// that they fill its buffer count as one.
func requestReceived(sock syscall.Conn) bool {
	s := newScrap()
	defer scraps.Put(s)
	n := s.received(sock)
	return n == len(s.b) || lineEnds(s.b[:n]) < n
}

// received copies what a socket has received, and says how much that was.
func (s *scrap) received(sock syscall.Conn) int {
	s.n = 0
	if s.control(sock, (*scrap).peek) != nil || s.err != nil {
		return 0
	}
	return s.n
}

func (s *scrap) peek(fd int) {
	for {
		if s.n, s.err = receive(fd, s.b[:], unix.MSG_PEEK); s.err != unix.EINTR {
			return
		}
	}
}

// discard reads from c and throws away, until the limit, an error, or the end. It says
// whether there was more than line ends. A socket that waits holds no buffer, and one
// whose FIN has come needs no deadline.
func discard(c net.Conn, limit int, deadline time.Time) (request bool, err error) {
	sock, _ := stream(c)
	if sock == nil || net.Conn(sock) != c { // its Read may do more than the socket's
		return discardRead(c, limit, deadline)
	}
	s := newScrap()
	s.left, s.request = limit, false
	err = s.control(sock, (*scrap).discard)
	if err == nil {
		err = s.err
	}
	limit, request = s.left, s.request
	scraps.Put(s)
	if err == unix.EAGAIN {
		_ = sock.SetReadDeadline(deadline)
		return discardOn(sock, limit, request)
	}
	return request, err
}

// discardOn is discard where nothing is left to be read at once.
func discardOn(sock syscall.Conn, limit int, request bool) (bool, error) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return request, err
	}
	rerr := raw.Read(func(fd uintptr) (done bool) {
		s := newScrap()
		defer scraps.Put(s)
		s.left, s.request = limit, request
		s.discard(int(fd))
		limit, request, err = s.left, s.request, s.err
		return err != unix.EAGAIN
	})
	if rerr != nil {
		err = rerr
	}
	return request, err
}

// keep returns a descriptor of our own for a socket, which keeps that open when it is
// closed, or nil if there are none left. That of one that blocks takes no deadline.
func keep(sock syscall.Conn) *os.File {
	fd := -1
	err := control(sock, func(of int) (err error) {
		syscall.ForkLock.RLock() // AIX has no F_DUPFD_CLOEXEC
		defer syscall.ForkLock.RUnlock()
		if fd, err = unix.Dup(of); err == nil {
			unix.CloseOnExec(fd)
		}
		return err
	})
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "socket") // #nosec G115
}

// isOpen says whether a socket has not been closed.
func isOpen(sock syscall.Conn) bool {
	return control(sock, func(int) error { return nil }) == nil
}

// halfClose sends the FIN of a socket.
func halfClose(sock syscall.Conn) error {
	return control(sock, func(fd int) error { return unix.Shutdown(fd, unix.SHUT_WR) })
}

// resetsAtClose says whether the close of a socket is a reset, as SO_LINGER asks for with
// no time (socket(7)).
func resetsAtClose(sock syscall.Conn) bool {
	resets := false
	_ = control(sock, func(fd int) error {
		l, err := unix.GetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER)
		resets = err == nil && l.Onoff != 0 && l.Linger == 0
		return err
	})
	return resets
}

// discard reads what there is: its end is an error, also EAGAIN, or the limit.
func (s *scrap) discard(fd int) {
	s.err = nil
	for s.left > 0 {
		var n int
		switch n, s.err = receive(fd, s.b[:min(len(s.b), s.left)], 0); {
		case s.err == unix.EINTR:
			continue
		case s.err != nil:
			return
		case n == 0:
			s.err = io.EOF
			return
		}
		s.left -= n
		s.request = s.request || beginsRequest(s.b[:n])
	}
}

// blocks says whether a socket's descriptor blocks, as after the Fd method of its File:
// then no deadline that is set later ends a Read, and no Close does. Upstream closes such
// a connection after its response; what waits for a request holds upstream's stop, too.
// It says no where there is no socket.
func blocks(sock syscall.Conn) bool {
	if sock == nil {
		return false
	}
	err := control(sock, func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0) // #nosec G115
		if err == nil && flags&unix.O_NONBLOCK == 0 {
			return errBlocks
		}
		return nil
	})
	return err == errBlocks
}

var errBlocks = errors.New("the descriptor blocks")

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
