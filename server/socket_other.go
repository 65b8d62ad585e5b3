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

// discard reads from c and throws away, until the limit, an error, or the end.
func discard(c net.Conn, limit int64) (int64, error) {
	return io.CopyN(io.Discard, c, limit)
}

// acceptable cannot ask a listening socket here.
func acceptable(syscall.Conn) (waits, ok bool) { return false, false }

// unblock has nothing to do where a descriptor cannot become a blocking one.
func unblock(any) (restore func()) { return nil }

func stopIfEmpty(syscall.Conn) bool { return true }
