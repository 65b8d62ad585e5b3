package fasthttp

import (
	"fmt"
	"syscall"

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
// The filter goes with the socket, so there is nothing to undo.
func filterSYN(sc syscall.Conn) (undo func(), err error) {
	program := append([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: tcpFlags},
	}, synVerdict(0, 1<<18)...) // pass that many bytes, which is more than any packet has
	err = control(sc, func(fd int) error {
		return attach(fd, unix.SO_ATTACH_FILTER, program)
	})
	if err != nil {
		return nil, fmt.Errorf("SO_ATTACH_FILTER: %w", err)
	}
	return func() {}, nil
}
