//go:build !unix

package fasthttp

import (
	"io"
	"net"
	"syscall"
)

// canPeek says that received does not work here: a last look reads with a tiny
// deadline instead.
const canPeek = false

func received(syscall.Conn) bool { return false }

func requestReceived(syscall.Conn) bool { return false }

// discard reads from c and throws away, until the limit, an error, or the end.
func discard(c net.Conn, limit int64) (int64, error) {
	return io.CopyN(io.Discard, c, limit)
}
