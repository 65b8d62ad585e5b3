//go:build !unix

package fasthttp

import (
	"net"
	"syscall"
	"time"
)

// canPeek says that received does not work here: a last look reads with a tiny
// deadline instead.
const canPeek = false

func received(syscall.Conn) bool { return false }

func requestReceived(syscall.Conn) bool { return false }

func blocks(syscall.Conn) bool { return false }

// discard is discardRead here.
func discard(c net.Conn, limit int, deadline time.Time) (request bool, err error) {
	return discardRead(c, limit, deadline)
}
