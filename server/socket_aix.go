package fasthttp

import "golang.org/x/sys/unix"

// peekAt is recv(2) that waits for nothing, under AIX's name, and takes nothing.
func peekAt(fd int, b []byte) (n int, err error) {
	n, _, err = unix.Recvfrom(fd, b, unix.MSG_PEEK|unix.MSG_NONBLOCK)
	return n, err
}
