package fasthttp

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// unacknowledged is how many bytes of a socket, FIN included, the peer has not
// acknowledged: SIOCOUTQ, see tcp(7).
func unacknowledged(sock syscall.Conn) (n int, ok bool) {
	err := control(sock, func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		return err
	})
	return n, err == nil
}

// receive is recv(2) that waits for nothing. unix.Recvfrom makes room
// for the sender's address each time, which in a stop of ten thousand connections
// begins a garbage collection. Where that system call is another, as before Linux 4.3 on
// 386 and s390x (socketcall(2)), it has to.
func receive(fd int, b []byte, flags int) (n int, err error) {
	flags |= unix.MSG_DONTWAIT
	r, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(flags), 0, 0) // #nosec G115
	switch errno {
	case 0:
		return int(r), nil // #nosec G115
	case unix.ENOSYS:
		n, _, err = unix.Recvfrom(fd, b, flags)
		return n, err
	}
	return 0, errno
}
