// Package link joins two network namespaces by a link with a round trip, for
// tests of what loopback hides: a handshake that takes time.
//
// The namespaces have no names and the link is two TUN devices with a copier
// between them that holds each packet. So nothing is left behind: the kernel
// frees all of it with the last process, however that ends. It takes root, and
// no module of the kernel but tun.
//
//	l := link.Open(t, 10*time.Millisecond) // each way
//	cmd := exec.Command("server", "-addr", netip.AddrPortFrom(l.Server.IPv4, 8080).String())
//	err := l.Server.Start(cmd)
//	...
//	err = l.Client.Do(func() error { c, err := net.Dial("tcp", addr); ... })
package link
