//go:build unix

package probe

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Look looks at what the kernel has received on a socket, without waiting.
func Look(conn syscall.RawConn) (got Received, err error) {
	var n int
	var recvErr error
	// Control and not Read: Read would wait, and obey a deadline of the past.
	err = conn.Control(func(fd uintptr) {
		var one [1]byte
		for {
			n, _, recvErr = unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			if recvErr != unix.EINTR {
				return
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case recvErr == unix.EAGAIN:
		return Nothing, nil
	case recvErr != nil || n == 0:
		return End, nil
	default:
		return Data, nil
	}
}
