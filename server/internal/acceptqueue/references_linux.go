package acceptqueue

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// references tells without a walk through the table of all connections that the kernel
// has no handshake of a listening socket under way in it: each is a request there,
// which has a reference to its listener until it is accepted (reqsk_alloc in
// include/net/request_sock.h), and /proc/net/tcp says how many there are of a socket.
// It lists the listening ones first. What has more references than a listener without a
// request is not known, so the table has to say it. A handshake by SYN cookie is in
// neither, and is seen when it comes to the queue.
type references struct {
	path  string
	inode uint64
	least int // without a request
}

// newReferences looks whether requests can be told by references in this kernel. Without
// one a TCP listener has one reference, and one of MPTCP two, as another of its kind on
// loopback has to show, which is there for a moment: somebody may connect to that, so
// what it has is a proof and no measure. With two requests in its queue the twin
// has three.
func newReferences(sock socket, t *twin) (*references, error) {
	var r references
	var protocol, family int
	err := control(sock, func(fd int) (err error) {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return err
		}
		r.inode = st.Ino
		if protocol, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); err == nil {
			family, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	r.path = "/proc/thread-self/net/tcp"
	var loopback unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if family == unix.AF_INET6 {
		r.path += "6"
		loopback = &unix.SockaddrInet6{Addr: [16]byte{15: 1}}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, loopback); err != nil {
		return nil, err
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return nil, err
	}
	var empty, full unix.Stat_t
	if err := errors.Join(unix.Fstat(fd, &empty), unix.Fstat(t.fd, &full)); err != nil {
		return nil, err
	}
	if n, err := r.of(full.Ino); err != nil || n != 1+len(t.probes) {
		return nil, fmt.Errorf("the twin has %d references (%v)", n, err)
	}
	if r.least = 1; protocol == unix.IPPROTO_MPTCP {
		r.least = 2
	}
	if n, err := r.of(empty.Ino); err != nil || n != r.least {
		return nil, fmt.Errorf("a listener without a request has %d references (%v)", n, err)
	}
	return &r, nil
}

// none says that the listener has no request.
func (r *references) none() bool {
	if r == nil {
		return false
	}
	n, err := r.of(r.inode)
	return err == nil && n == r.least
}

// of reads how many references a listening socket has, see proc_net_tcp(5).
func (r *references) of(inode uint64) (int, error) {
	f, err := os.Open(r.path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	want := strconv.AppendUint(nil, inode, 10)
	// A read makes no more lines than it has room for, so little room saves the rest.
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 512), 512)
	for lines.Scan() {
		const state, inode, refs = 3, 9, 10
		switch field := bytes.Fields(lines.Bytes()); {
		case len(field) <= refs || string(field[0]) == "sl":
		case string(field[state]) != "0A": // behind the last of those that listen
			return 0, errors.New("the kernel does not list the socket here")
		case bytes.Equal(field[inode], want):
			return strconv.Atoi(string(field[refs]))
		}
	}
	return 0, errors.Join(errors.New("the kernel does not list the socket"), lines.Err())
}
