package fasthttp

import "golang.org/x/sys/unix"

// msgDontWait keeps a receive from blocking; AIX has it under another name.
const msgDontWait = unix.MSG_NONBLOCK
