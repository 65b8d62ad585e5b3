package main

import (
	"context"
	"net"
)

// listen listens on an address, which it can share with another process.
func listen(addr string, share bool) (net.Listener, error) {
	var config net.ListenConfig
	if share {
		config.Control = sharePort
	}
	return config.Listen(context.Background(), "tcp4", addr)
}
