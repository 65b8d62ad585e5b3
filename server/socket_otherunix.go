//go:build unix && !linux && !aix

package fasthttp

import "golang.org/x/sys/unix"

// receive is recv(2) that waits for nothing.
func receive(fd int, b []byte, flags int) (n int, err error) {
	n, _, err = unix.Recvfrom(fd, b, flags|unix.MSG_DONTWAIT)
	return n, err
}
