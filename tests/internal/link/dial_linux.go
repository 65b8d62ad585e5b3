package link

import "net"

// mostDials is how many connections are opened at a time: each takes a thread of
// its own as long as that lasts, and Go gives up at 10,000 (runtime/debug,
// SetMaxThreads).
const mostDials = 512

var dials = make(chan struct{}, mostDials)

// Dial connects from the namespace, as d.Dial does.
func (n *Namespace) Dial(d *net.Dialer, network, addr string) (conn net.Conn, err error) {
	dials <- struct{}{}
	defer func() { <-dials }()
	err = n.Do(func() (err error) {
		conn, err = d.Dial(network, addr)
		return err
	})
	return conn, err
}
