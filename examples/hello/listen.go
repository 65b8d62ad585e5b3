package main

import (
	"context"
	"net"
)

// listen listens on an address, which it can share with another process.
func listen(addr string, share bool) (net.Listener, error) {
	var config net.ListenConfig
	if share {
		// Without MPTCP, which takes no filter: so a server with the privilege can
		// keep new handshakes from a listener that stops, see docs/acceptqueue.md.
		config.SetMultipathTCP(false)
		config.Control = sharePort
	}
	return config.Listen(context.Background(), "tcp4", addr)
}
