//go:build !unix

package fasthttp

import "syscall"

// canPeek says that received does not work here: a last look reads with a tiny
// deadline instead.
const canPeek = false

func received(syscall.Conn) bool { return false }

// acceptable cannot ask a listening socket here.
func acceptable(syscall.Conn) (waits, ok bool) { return false, false }

func stopIfEmpty(syscall.Conn) bool { return true }
