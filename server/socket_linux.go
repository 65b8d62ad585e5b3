package fasthttp

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// acceptQueue asks for the length and the limit of a listening TCP socket's
// accept queue. For a socket in LISTEN the kernel reports them in the fields
// tcpi_unacked and tcpi_sacked of TCP_INFO (tcp_get_info in net/ipv4/tcp.c).
func acceptQueue(ln syscall.Conn) (length, limit int, ok bool) {
	err := control(ln, func(fd int) (err error) {
		length, limit, err = queueOf(fd)
		return err
	})
	return length, limit, err == nil
}

func queueOf(fd int) (length, limit int, err error) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, 0, err
	}
	return int(info.Unacked), int(info.Sacked), nil
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
