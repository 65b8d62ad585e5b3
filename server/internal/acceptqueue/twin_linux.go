package acceptqueue

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// twin is a second listening socket at the address of the first, to which the
// kernel gives all SYNs, and which drops them in silence. It takes no privilege.
//
// Both are in an SO_REUSEPORT group. socket(7) wants the option set before bind
// also on the first, but Linux does not: a bind asks for it when the second
// comes (inet_csk_bind_conflict in net/ipv4/inet_connection_sock.c), and a
// listen makes the group then, for both (reuseport_add_sock in
// net/core/sock_reuseport.c). So any listener can have a twin, and SO_REUSEPORT
// is off while it serves: two instances cannot share a port unnoticed. The
// group is reached through the twin, so the first may be an MPTCP socket, which
// refuses to have a program attached.
//
// Two things make the twin drop what it gets:
//
//   - IP_MINTTL, IPV6_MINHOPCOUNT: packets with less than 255 hops to go are
//     dropped before they are looked at (tcp_v4_rcv, tcp_v6_rcv). Most systems
//     begin with 64 or 128. It is set before the listen, so the twin answers
//     nothing while the group has no program yet.
//   - A full queue: a SYN that meets one is dropped (tcp_conn_request in
//     net/ipv4/tcp_input.c). With a backlog of 1 two connections fill it
//     (sk_acceptq_is_full in include/net/sock.h). They are our own, the probes,
//     sent with 255 hops; that they arrive at the twin also proves that all of
//     this works on the kernel at hand. With a backlog of 0, before Linux 6.14,
//     the kernel would take the first for a flood (inet_csk_reqsk_queue_is_full
//     in include/net/inet_connection_sock.h).
//
// One gap is left, for clients that begin with 255 hops and have no router on
// their way: what they begin between the listen and the program, two system
// calls, may be lost at the twin. The report says so, as these handshakes do not
// finish.
type twin struct {
	fd     int
	probes [backlog + 1]int
	alone  bool // SO_REUSEPORT was not set before
}

const backlog = 1

// openTwin opens a twin, which has to be closed after the listener. If it
// fails the listener is as it was.
func openTwin(sock socket) (t *twin, err error) {
	t = &twin{fd: -1, probes: [backlog + 1]int{-1, -1}}
	err = control(sock, t.open)
	if err == nil {
		return t, nil
	}
	t.close()
	if t.alone {
		_ = control(sock, func(fd int) error {
			return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 0)
		})
	}
	return nil, err
}

// open opens the twin of the listening socket fd.
func (t *twin) open(fd int) error {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	if device, err := unix.GetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE); err == nil && device != "" {
		return errors.New("the socket is bound to a network device")
	}
	family, v6only := unix.AF_INET, 0
	if _, ok := sa.(*unix.SockaddrInet6); ok {
		family = unix.AF_INET6
	}
	reused, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT)
	if err != nil {
		return err
	}
	t.alone = reused == 0
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fmt.Errorf("SO_REUSEPORT: %w", err)
	}
	t.fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP)
	if err != nil {
		return err
	}
	if err := hops(t.fd, family, unix.IP_MINTTL, unix.IPV6_MINHOPCOUNT); err != nil {
		return err
	}
	// SO_REUSEADDR is for the bind beside established connections of the first,
	// which have it too, as Go's listeners do.
	for _, option := range []int{unix.SO_REUSEADDR, unix.SO_REUSEPORT} {
		if err := unix.SetsockoptInt(t.fd, unix.SOL_SOCKET, option, 1); err != nil {
			return err
		}
	}
	if family == unix.AF_INET6 {
		v6only, err = unix.GetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_V6ONLY)
		if err == nil {
			err = unix.SetsockoptInt(t.fd, unix.SOL_IPV6, unix.IPV6_V6ONLY, v6only)
		}
		if err != nil {
			return err
		}
	}
	if err := unix.Bind(t.fd, sa); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Listen(t.fd, backlog); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	// In the group the first is number 0 and the twin number 1, in the order in
	// which they joined.
	if err := attach(t.fd, unix.SO_ATTACH_REUSEPORT_CBPF, twinProgram(1, 0)); err != nil {
		return fmt.Errorf("SO_ATTACH_REUSEPORT_CBPF: %w", err)
	}
	return t.fill(reachable(sa, v6only != 0))
}

// twinProgram chooses a member of an SO_REUSEPORT group: one for SYNs and one
// for all else, which is the end of a handshake under a SYN cookie: it needs the
// first.
//
// Such a program sees a packet from behind its TCP header on (run_bpf_filter in
// net/core/sock_reuseport.c), so this reads from the network header. IPv6
// packets with extension headers are left to the first.
func twinProgram(syn, other uint32) []unix.SockFilter {
	const network = 1<<32 - 0x100000 // SKF_NET_OFF in include/uapi/linux/filter.h
	return append([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: network},
		{Code: unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K, K: 4}, // the version
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 4, Jf: 3},
		{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: network}, // the header's length
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_IND, K: network + tcpFlags},
		{Code: unix.BPF_JMP | unix.BPF_JA, K: 4},
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: network + ipv6Next},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.IPPROTO_TCP, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: other},
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: network + ipv6Header + tcpFlags},
	}, synVerdict(syn, other)...)
}

// probeTime bounds the way of the probes, which do not leave the machine.
const probeTime = 100 * time.Millisecond

// fill connects the probes, which have to arrive at the twin.
func (t *twin) fill(to unix.Sockaddr, family int) (err error) {
	for i := range t.probes {
		t.probes[i], err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP)
		if err != nil {
			return err
		}
		if err := hops(t.probes[i], family, unix.IP_TTL, unix.IPV6_UNICAST_HOPS); err != nil {
			return err
		}
		if err := unix.Connect(t.probes[i], to); err != nil && err != unix.EINPROGRESS {
			return fmt.Errorf("a connection to it: %w", err)
		}
	}
	for end := time.Now().Add(probeTime); ; time.Sleep(time.Millisecond) {
		queued, _, err := queueOf(t.fd)
		if err != nil || queued == len(t.probes) {
			return err
		}
		if time.Now().After(end) {
			return errors.New("a connection to it does not arrive")
		}
	}
}

// reachable is where a socket that listens at sa can be reached from here.
func reachable(sa unix.Sockaddr, v6only bool) (unix.Sockaddr, int) {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		if sa.Addr == [4]byte{} {
			return &unix.SockaddrInet4{Port: sa.Port, Addr: [4]byte{127, 0, 0, 1}}, unix.AF_INET
		}
	case *unix.SockaddrInet6:
		if sa.Addr == [16]byte{} && v6only {
			return &unix.SockaddrInet6{Port: sa.Port, Addr: [16]byte{15: 1}}, unix.AF_INET6
		}
		if sa.Addr == [16]byte{} {
			// It gets those of IPv4, too, and not every machine has IPv6.
			return &unix.SockaddrInet4{Port: sa.Port, Addr: [4]byte{127, 0, 0, 1}}, unix.AF_INET
		}
		return sa, unix.AF_INET6
	}
	return sa, unix.AF_INET
}

// hops sets an option on hops to 255: one of IPv4, and with IPv6 also one of
// that, as a socket of IPv6 may have IPv4 packets.
func hops(fd, family, option4, option6 int) error {
	err := unix.SetsockoptInt(fd, unix.SOL_IP, option4, 255)
	if err == nil && family == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.SOL_IPV6, option6, 255)
	}
	if err != nil {
		return fmt.Errorf("IP_MINTTL or IP_TTL: %w", err)
	}
	return nil
}

// close closes the twin. A SYN that comes from here on is refused. The probes are
// taken out of its queue first, as a close would reset them: a stop that sends no
// RST can be checked by the kernel's count of them. What makes room in the queue
// lets nobody in, as the hops still keep SYNs out.
//
// The program belongs to the group, which others may have joined meanwhile.
func (t *twin) close() {
	for _, fd := range t.probes {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	if t.fd < 0 {
		return
	}
	for range t.probes {
		if fd, _, err := unix.Accept4(t.fd, unix.SOCK_CLOEXEC); err == nil {
			_ = unix.Close(fd)
		}
	}
	detach(t.fd)
	_ = unix.Close(t.fd)
}

// detach takes the program off the group of a socket. Before Linux 5.3, which has
// SO_DETACH_REUSEPORT_BPF, a program takes its place that chooses nobody: then the
// kernel does (reuseport_select_sock in net/core/sock_reuseport.c).
func detach(fd int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_REUSEPORT_BPF, 0) != nil {
		_ = attach(fd, unix.SO_ATTACH_REUSEPORT_CBPF, noMember)
	}
}

var noMember = []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 1<<32 - 1}}
