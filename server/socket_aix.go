package fasthttp

import "golang.org/x/sys/unix"

// receive is recv(2) that waits for nothing, under AIX's name.
func receive(fd int, b []byte, flags int) (n int, err error) {
	n, _, err = unix.Recvfrom(fd, b, flags|unix.MSG_NONBLOCK)
	return n, err
}
