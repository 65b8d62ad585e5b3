// Package wire counts what a server puts on the wire while it drains. Server and
// clients are in network namespaces of their own, so the kernel's counters of the
// server's namespace are the server's alone.
//
// The load is that of `fastdrain lab`; upstream is the control. With a link that
// takes 10 ms each way the tests also count how many requests cross a FIN, which
// loopback hides.
//
// It needs Linux, root and /dev/net/tun.
package wire
