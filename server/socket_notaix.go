//go:build unix && !aix

package fasthttp

import "golang.org/x/sys/unix"

// msgDontWait keeps a receive from blocking.
const msgDontWait = unix.MSG_DONTWAIT
