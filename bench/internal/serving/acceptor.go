package serving

import (
	"net"
	"sync"
)

// Response is what the servers answer that read no request.
const Response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"

// Acceptor is a listener that can be closed while another goroutine accepts from it.
type Acceptor struct {
	mu sync.Mutex // guards ln
	ln net.Listener
}

// Accept gives each connection to serve, which must not block, until Close or another
// error, which it returns.
func (a *Acceptor) Accept(ln net.Listener, serve func(net.Conn)) error {
	a.mu.Lock()
	a.ln = ln
	a.mu.Unlock()
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		serve(c)
	}
}

// Close closes the listener, if Accept has been called. It returns its error.
func (a *Acceptor) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ln == nil {
		return nil
	}
	return a.ln.Close()
}
