package main

import (
	"net"
	"time"
)

// timeout is what a timedConn gives each Read and Write: longer than any stop here.
const timeout = 10 * time.Second

// timed serves from a listener whose connections set a deadline of their own before
// each Read and Write, as etcd's transport package has them.
func timed(e *env) error {
	ln, err := e.listen()
	if err != nil {
		return err
	}
	return e.serve(e.server(), e.secure(timedListener{ln}))
}

type timedListener struct{ net.Listener }

func (l timedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return timedConn{c}, nil
}

type timedConn struct{ net.Conn }

func (c timedConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c timedConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
