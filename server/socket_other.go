//go:build !unix

package fasthttp

import (
	"net"
	"os"
	"syscall"
	"time"
)

// canPeek says that received does not work here: a last look reads with a tiny
// deadline instead.
const canPeek = false

func received(syscall.Conn) bool { return false }

func requestReceived(syscall.Conn) bool { return false }

func blocks(syscall.Conn) bool { return false }

// keep keeps nothing here: what is closed is closed.
func keep(syscall.Conn) *os.File { return nil }

func isOpen(syscall.Conn) bool { return false }

func halfClose(syscall.Conn) error { return syscall.EINVAL }

func resetsAtClose(syscall.Conn) bool { return false }

func discardOn(syscall.Conn, int, bool) (bool, error) { return false, nil }

// discard is discardRead here.
func discard(c net.Conn, limit int, deadline time.Time) (request bool, err error) {
	return discardRead(c, limit, deadline)
}
