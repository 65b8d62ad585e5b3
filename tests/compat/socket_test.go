package compat

import (
	"fmt"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// options are those of a socket that a stop may leave set, for whoever has it, too; ""
// of none.
func options(t *testing.T, ln *net.TCPListener) (text string) {
	t.Helper()
	if ln == nil {
		return ""
	}
	raw, err := ln.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if cerr := raw.Control(func(fd uintptr) {
		var reuse int
		reuse, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT)
		text = fmt.Sprintf("SO_REUSEPORT %d", reuse)
	}); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return text
}
