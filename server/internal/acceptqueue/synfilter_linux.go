package acceptqueue

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// filterSYN makes a listening socket drop what begins a handshake, in silence:
// tcp_filter in net/ipv4/tcp_ipv4.c drops before anything is answered, and sees
// a packet from its TCP header on. What belongs to a handshake under way passes.
//
// It takes CAP_NET_ADMIN where the kernel asks for it (seen with Linux 6.18:
// EPERM), and an MPTCP socket refuses it (EOPNOTSUPP: mptcp_setsockopt_sol_socket
// in net/mptcp/sockopt.c). Connections inherit the filter, which does nothing to
// them, as they get no SYN.
//
// undo takes the filter off again when the listener has been closed, as somebody
// else may have the socket after all, and then lets go of the socket. A SYN between
// these two system calls is answered, and its connection reset: where it can be had
// filterSYNUntil is the better one.
func filterSYN(sock socket) (undo func(), err error) {
	program := append([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: tcpFlags},
	}, synVerdict(0, wholePacket)...)
	dup := -1
	err = control(sock, func(fd int) (err error) {
		if dup, err = duplicate(fd); err != nil {
			return err
		}
		return attach(fd, unix.SO_ATTACH_FILTER, program)
	})
	if err != nil {
		if dup >= 0 {
			_ = unix.Close(dup)
		}
		return nil, fmt.Errorf("SO_ATTACH_FILTER: %w", err)
	}
	return func() {
		_ = unix.SetsockoptInt(dup, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
		_ = unix.Close(dup)
	}, nil
}
