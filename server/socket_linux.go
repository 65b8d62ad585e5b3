package fasthttp

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// acceptQueue asks for the length and the limit of a listening TCP socket's
// accept queue. For a socket in LISTEN the kernel reports them in the fields
// tcpi_unacked and tcpi_sacked of TCP_INFO (tcp_get_info in net/ipv4/tcp.c).
func acceptQueue(ln syscall.Conn) (length, limit int, ok bool) {
	var info *unix.TCPInfo
	err := control(ln, func(fd int) (err error) {
		info, err = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err
	})
	if err != nil {
		return 0, 0, false
	}
	return int(info.Unacked), int(info.Sacked), true
}

// unacknowledged is how many bytes of a socket, FIN included, the peer has not
// acknowledged: SIOCOUTQ, see tcp(7).
func unacknowledged(sock syscall.Conn) (n int, ok bool) {
	err := control(sock, func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		return err
	})
	return n, err == nil
}

// spareSocket is a socket that can take the place of another, or -1.
func spareSocket() int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}

// leaveSocket closes this process' hold on the socket behind fd, and puts the
// spare one behind fd: dup3(2) does both in one call. If that was the last hold,
// the socket stops listening. A shutdown(2) would end the listening for all that
// share the socket, such as prefork's children, or a new process that has taken
// it over.
func leaveSocket(fd, spare int) {
	if spare >= 0 {
		_ = unix.Dup3(spare, fd, unix.O_CLOEXEC)
	}
}

func closeSpare(spare int) {
	if spare >= 0 {
		_ = unix.Close(spare)
	}
}
