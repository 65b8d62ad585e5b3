package fasthttp

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
	addr  netip.AddrPort
	inode uint64
}

// diagSocket is what struct inet_diag_msg says of a socket.
type diagSocket struct {
	retrans uint8
	age     time.Duration // of a handshake whose SYN-ACK has been sent once
	addr    netip.Addr
	inode   uint32
}

const (
	diagListen = 1 << unix.BPF_TCP_LISTEN

	// A handshake is a request, in TCP_NEW_SYN_RECV, and for a moment a socket in
	// TCP_SYN_RECV (include/net/tcp_states.h).
	diagHandshake = 1<<unix.BPF_TCP_SYN_RECV | 1<<unix.BPF_TCP_NEW_SYN_RECV
)

// diagnose finds the socket among the kernel's, and whether it is alone at its
// address: another one there is of the same SO_REUSEPORT group, and what is done
// to the group is done to it. Without SO_REUSEPORT it is alone, as a bind sees to
// that; beside it there may only be one of the other protocol.
func diagnose(sc syscall.Conn) (d listenerDiag, alone bool, err error) {
	grouped := 0
	err = control(sc, func(fd int) (err error) {
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
		if d.inode, err = socketInode(fd); err != nil {
			return err
		}
		grouped, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT)
		return err
	})
	if err != nil {
		return d, false, err
	}
	var listening []diagSocket
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		found, err := dumpSockets(family, diagListen, d.addr.Port())
		if err != nil {
			return d, false, fmt.Errorf("the kernel does not list sockets: %w", err)
		}
		listening = append(listening, found...)
	}
	found, others := false, 0
	for _, s := range listening {
		switch {
		case uint64(s.inode) == d.inode:
			found = true
		case s.addr.Unmap() == d.addr.Addr().Unmap() || s.addr.IsUnspecified() && d.addr.Addr().IsUnspecified():
			others++
		}
	}
	if !found {
		// The goroutine runs in another network namespace.
		return d, false, errors.New("the kernel does not list the socket here")
	}
	return d, grouped == 0 || others == 0, nil
}

// firstSYNACK is how long the kernel waits before it sends a SYN-ACK again:
// TCP_TIMEOUT_INIT in include/net/tcp.h.
const firstSYNACK = time.Second

// handshakes counts those under way: fresh are the ones whose SYN-ACK has not
// been sent again, which may finish at any moment, and that are older than a
// moment from which on none began here. Younger ones belong to another socket at
// the address; the kernel does not say to which. It counts in ticks, of 10 ms at
// most.
func (d listenerDiag) handshakes(quiet time.Time) (fresh, all int, err error) {
	family := uint8(unix.AF_INET6)
	if d.addr.Addr().Is4() {
		family = unix.AF_INET
	}
	// A request is of its listener's family (inet_reqsk_alloc in
	// net/ipv4/tcp_input.c), also one over IPv4 to a listener of IPv6.
	requests, err := dumpSockets(family, diagHandshake, d.addr.Port())
	since := time.Since(quiet) - 20*time.Millisecond
	for _, s := range requests {
		if !d.addr.Addr().IsUnspecified() && s.addr.Unmap() != d.addr.Addr().Unmap() {
			continue
		}
		if s.retrans == 0 && s.age < since {
			continue
		}
		all++
		if s.retrans == 0 {
			fresh++
		}
	}
	return fresh, all, err
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
				addr := netip.AddrFrom16(s.ID.Src)
				if s.Family == unix.AF_INET {
					addr = netip.AddrFrom4([4]byte(s.ID.Src[:4]))
				}
				found = append(found, diagSocket{
					retrans: s.Retrans,
					age:     firstSYNACK - time.Duration(s.Expires)*time.Millisecond,
					addr:    addr,
					inode:   s.Inode,
				})
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

// socketInode is the number by which /proc and sock_diag know a socket.
func socketInode(fd int) (uint64, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return st.Ino, err
}
