package fasthttp

import (
	"crypto/tls"
	"net"
	"reflect"
	"syscall"
)

// stream returns the socket below c, and the TLS connection between them if
// there is one. The socket is nil if c is neither, directly or in one of
// upstream's wrappers: an unknown wrapper may hold bytes of its own.
func stream(c net.Conn) (sock halfCloser, tc *tls.Conn) {
	switch w := c.(type) {
	case *perIPConn:
		c = w.Conn
	case *perIPTLSConn:
		c = w.Conn
	}
	if t, ok := c.(*tls.Conn); ok {
		tc, c = t, t.NetConn()
	}
	switch c := c.(type) {
	case *net.TCPConn:
		return c, tc
	case *net.UnixConn:
		return c, tc
	}
	return nil, tc
}

// halfCloser is a socket.
type halfCloser interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// below is what to close for good: not a TLS connection, which would first wait
// to send its close_notify, nor the wrapper of MaxConnsPerIP, whose Close works
// once and may have been used to free the slot.
func below(c net.Conn) net.Conn {
	switch w := c.(type) {
	case *perIPConn:
		c = w.Conn
	case *perIPTLSConn:
		c = w.Conn
	}
	if tc, ok := c.(*tls.Conn); ok {
		return tc.NetConn()
	}
	return c
}

// closeWriter is what can be half-closed.
type closeWriter interface{ CloseWrite() error }

// halfCloserOf finds what of c can be half-closed: c itself, or what it wraps.
func halfCloserOf(c net.Conn) closeWriter {
	for ; c != nil; c = wrapped(c) {
		if cw, ok := c.(closeWriter); ok {
			return cw
		}
	}
	return nil
}

// wrapped returns the connection that c wraps, if it exports it in a field
// named Conn, as by embedding a net.Conn; nil otherwise.
func wrapped(c net.Conn) net.Conn {
	v := reflect.Indirect(reflect.ValueOf(c))
	if v.Kind() != reflect.Struct {
		return nil
	}
	if v = v.FieldByName("Conn"); !v.IsValid() || !v.CanInterface() {
		return nil
	}
	inner, _ := v.Interface().(net.Conn)
	return inner
}

// obeysDeadlines says whether a Read of c is known to return at its deadline:
// those of the standard library's connections and of fasthttputil's do, and
// what wraps one passes the deadline on.
func obeysDeadlines(c net.Conn) bool {
	for ; c != nil; c = wrapped(c) {
		t := reflect.TypeOf(c)
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch t.PkgPath() {
		case "net":
			return true
		case "crypto/tls":
			tc, ok := c.(*tls.Conn)
			return ok && obeysDeadlines(tc.NetConn())
		case "github.com/valyala/fasthttp/fasthttputil":
			return true
		}
	}
	return false
}
