package fasthttp

import (
	"syscall"

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
