package acceptqueue

import "golang.org/x/sys/unix"

// Where fields are in packets: RFC 9293 section 3.1, RFC 791 section 3.1, RFC
// 8200 section 3.
const (
	tcpFlags     = 13
	finSYNRSTACK = 0x01 | 0x02 | 0x04 | 0x10
	onlySYN      = 0x02
	ipv6Header   = 40
	ipv6Next     = 6
)

// wholePacket is what a socket filter returns to pass a packet: that many bytes of
// it, which is more than any has.
const wholePacket = 1 << 18

// synVerdict is the end of a classic BPF program (bpf(4) of the BSDs, and
// Documentation/networking/filter.rst) that has TCP's flags in the accumulator:
// it returns one number for a SYN that begins a handshake, and another for all
// else.
func synVerdict(syn, other uint32) []unix.SockFilter {
	return []unix.SockFilter{
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: finSYNRSTACK},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: onlySYN, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: syn},
		{Code: unix.BPF_RET | unix.BPF_K, K: other},
	}
}

// attach attaches a program to a socket by an option of level SOL_SOCKET.
func attach(fd, option int, program []unix.SockFilter) error {
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, option, &unix.SockFprog{
		Len:    uint16(len(program)), // #nosec G115
		Filter: &program[0],
	})
}
