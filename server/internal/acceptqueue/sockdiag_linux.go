package acceptqueue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listenerDiag asks the kernel about a listening TCP socket and its handshakes
// through sock_diag(7). It takes no privilege: only the destruction of sockets
// does (inet_diag_handler_cmd and tcp_diag_destroy in net/ipv4).
type listenerDiag struct {
	inode   uint64
	grouped bool // SO_REUSEPORT is set
	addr    netip.AddrPort
	self    diagSocket
}

// diagSocket is what struct inet_diag_msg says of a socket.
type diagSocket struct {
	group
	inode   uint32
	backlog uint32 // of a listening socket

	// Of a handshake: how often its SYN-ACK has been sent again, and when it
	// began, if its timer has not run out yet.
	retrans uint8
	age     time.Duration
}

// group is what listening sockets have in common that are in one SO_REUSEPORT
// group (inet_reuseport_add_sock in net/ipv4/inet_hashtables.c; the port is that
// of the question). A socket at [::] and one at 0.0.0.0 are in two.
type group struct {
	family uint8
	v6only bool
	addr   netip.Addr
	device uint32
	uid    uint32
}

const (
	diagListen = 1 << unix.BPF_TCP_LISTEN

	// A handshake is a request, in TCP_NEW_SYN_RECV, and for a moment a socket in
	// TCP_SYN_RECV (include/net/tcp_states.h).
	diagHandshake = 1<<unix.BPF_TCP_SYN_RECV | 1<<unix.BPF_TCP_NEW_SYN_RECV
)

// diagnose finds the socket among the kernel's.
func diagnose(sock socket) (d listenerDiag, err error) {
	err = control(sock, func(fd int) (err error) {
		sa, err := unix.Getsockname(fd)
		if err != nil {
			return err
		}
		switch sa := sa.(type) {
		case *unix.SockaddrInet4:
			d.addr = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)) // #nosec G115
		case *unix.SockaddrInet6:
			d.addr = netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port)) // #nosec G115
		default:
			return errors.New("not an internet socket")
		}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return err
		}
		d.inode = st.Ino
		reuse, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT)
		d.grouped = reuse != 0
		return err
	})
	if err != nil {
		return d, err
	}
	listening, err := d.listening()
	for _, s := range listening {
		if uint64(s.inode) == d.inode {
			d.self = s
			return d, nil
		}
	}
	if err == nil {
		// The goroutine runs in another network namespace.
		err = errors.New("the kernel does not list the socket here")
	}
	return d, err
}

func (d listenerDiag) listening() ([]diagSocket, error) {
	found, err := dumpSockets(d.family(), diagListen, d.addr.Port())
	if err != nil {
		return nil, fmt.Errorf("the kernel does not list sockets: %w", err)
	}
	return found, nil
}

// others lists the other sockets of the SO_REUSEPORT group: what is done to the
// group is done to them. Without SO_REUSEPORT there are none, as a bind sees to
// that.
func (d listenerDiag) others() (others []diagSocket, err error) {
	if !d.grouped {
		return nil, nil
	}
	listening, err := d.listening()
	for _, s := range listening {
		if s.group == d.self.group && uint64(s.inode) != d.inode {
			others = append(others, s)
		}
	}
	return others, err
}

// family is the socket's. A request is of its listener's (inet_reqsk_alloc in
// net/ipv4/tcp_input.c), also one over IPv4 to a listener of IPv6.
func (d listenerDiag) family() uint8 {
	if d.addr.Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// firstSYNACK is how long the kernel waits before it sends a SYN-ACK again:
// TCP_TIMEOUT_INIT in include/net/tcp.h.
const firstSYNACK = time.Second

// handshakes are those under way at an address.
type handshakes struct {
	// all are those that are older than the moment from which on none began here,
	// and of those whose SYN-ACK has been sent again all at the address. Younger
	// ones belong to another socket there; the kernel does not say to which.
	all int

	// fresh are those whose SYN-ACK has not been sent again: they may finish at
	// any moment.
	fresh int

	// deferred have been finished by the client, and wait for its first byte: their
	// timer has run out and nothing was sent again, as TCP_DEFER_ACCEPT wants it
	// (syn_ack_recalc in net/ipv4/inet_connection_sock.c). In their first second
	// they cannot be told from fresh ones.
	deferred int
}

// handshakes lists those that began before a moment. The kernel counts in ticks,
// of 10 ms at most.
func (d listenerDiag) handshakes(before time.Time) (h handshakes, err error) {
	since := time.Since(before) - 20*time.Millisecond // the list takes its time, on a loaded machine
	requests, err := dumpSockets(d.family(), diagHandshake, d.addr.Port())
	for _, s := range requests {
		if !d.addr.Addr().IsUnspecified() && s.addr.Unmap() != d.addr.Addr().Unmap() {
			continue
		}
		switch {
		case s.retrans > 0:
			h.all++
		case s.age < -20*time.Millisecond:
			h.all++
			h.deferred++
		case s.age >= since:
			h.all++
			h.fresh++
		}
	}
	return h, err
}

// The structures of include/uapi/linux/inet_diag.h.
type (
	inetDiagID struct {
		SrcPort, DstPort [2]byte
		Src, Dst         [16]byte
		Interface        uint32
		Cookie           [2]uint32
	}
	inetDiagReq struct {
		Family, Protocol, Extensions, _ uint8
		States                          uint32
		ID                              inetDiagID
	}
	inetDiagMsg struct {
		Family, State, Timer, Retrans                uint8
		ID                                           inetDiagID
		Expires, ReceiveQueue, SendQueue, UID, Inode uint32
	}
)

// socket reads a message and the attributes behind it, of which only one counts:
// INET_DIAG_SKV6ONLY of a listening socket of IPv6.
func (m inetDiagMsg) socket(attributes []byte) diagSocket {
	s := diagSocket{
		group:   group{family: m.Family, addr: netip.AddrFrom16(m.ID.Src), device: m.ID.Interface, uid: m.UID},
		inode:   m.Inode,
		backlog: m.SendQueue,
		retrans: m.Retrans,
		age:     firstSYNACK - time.Duration(m.Expires)*time.Millisecond,
	}
	if m.Family == unix.AF_INET {
		s.addr = netip.AddrFrom4([4]byte(m.ID.Src[:4]))
	}
	for len(attributes) >= unix.SizeofNlAttr {
		size := int(binary.NativeEndian.Uint16(attributes))
		if size < unix.SizeofNlAttr || size > len(attributes) {
			break
		}
		const v6only = 11 // INET_DIAG_SKV6ONLY in include/uapi/linux/inet_diag.h
		if binary.NativeEndian.Uint16(attributes[2:]) == v6only && size > unix.SizeofNlAttr {
			s.v6only = attributes[unix.SizeofNlAttr] != 0
		}
		attributes = attributes[min((size+unix.NLA_ALIGNTO-1)&^(unix.NLA_ALIGNTO-1), len(attributes)):]
	}
	return s
}

// dumpSockets lists the TCP sockets of a family with a local port.
func dumpSockets(family uint8, states uint32, port uint16) ([]diagSocket, error) {
	nl, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, err
	}
	defer unix.Close(nl)
	// The answer is there when the request has been sent; this bounds a surprise.
	_ = unix.SetsockoptTimeval(nl, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})

	type request struct {
		Header unix.NlMsghdr
		Body   inetDiagReq
	}
	req := request{
		Header: unix.NlMsghdr{
			Len:   uint32(unsafe.Sizeof(request{})),
			Type:  unix.SOCK_DIAG_BY_FAMILY,
			Flags: unix.NLM_F_REQUEST | unix.NLM_F_DUMP,
		},
		Body: inetDiagReq{Family: family, Protocol: unix.IPPROTO_TCP, States: states},
	}
	binary.BigEndian.PutUint16(req.Body.ID.SrcPort[:], port)
	var wire [unsafe.Sizeof(request{})]byte
	if _, err := binary.Encode(wire[:], binary.NativeEndian, req); err != nil {
		return nil, err
	}
	if err := unix.Sendto(nl, wire[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}

	var found []diagSocket
	buf := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(nl, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			switch m.Header.Type {
			case unix.NLMSG_DONE:
				return found, nil
			case unix.NLMSG_ERROR:
				return nil, netlinkError(m.Data)
			case unix.SOCK_DIAG_BY_FAMILY:
				var s inetDiagMsg
				if _, err := binary.Decode(m.Data, binary.NativeEndian, &s); err != nil {
					return nil, err
				}
				found = append(found, s.socket(m.Data[binary.Size(s):]))
			}
		}
	}
}

// netlinkError is the error in a message of struct nlmsgerr.
func netlinkError(data []byte) error {
	if len(data) < 4 {
		return errors.New("the netlink socket gave half an error")
	}
	return os.NewSyscallError("sock_diag", syscall.Errno(-int32(binary.NativeEndian.Uint32(data)))) // #nosec G115
}
