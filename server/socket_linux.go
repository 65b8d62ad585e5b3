package fasthttp

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// acceptQueue asks for the length and the limit of a listening TCP socket's
// accept queue. For a socket in LISTEN the kernel reports them in the fields
// tcpi_unacked and tcpi_sacked of TCP_INFO (tcp_get_info in net/ipv4/tcp.c).
func acceptQueue(ln syscall.Conn) (length, limit int, ok bool) {
	raw, err := ln.SyscallConn()
	if err != nil {
		return 0, 0, false
	}
	var info *unix.TCPInfo
	cerr := raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	if cerr != nil || err != nil {
		return 0, 0, false
	}
	return int(info.Unacked), int(info.Sacked), true
}

// unacknowledged is how many bytes of a socket, FIN included, the peer has not
// acknowledged: SIOCOUTQ, see tcp(7).
func unacknowledged(sock syscall.Conn) (n int, ok bool) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return 0, false
	}
	cerr := raw.Control(func(fd uintptr) {
		n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
	})
	return n, cerr == nil && err == nil
}
