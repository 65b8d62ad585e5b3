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
	c = unlimited(c)
	if t, ok := c.(*tls.Conn); ok && t != nil {
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

// unlimited returns what upstream's wrappers for MaxConnsPerIP hold, and c if it is
// none of them.
func unlimited(c net.Conn) net.Conn {
	switch w := c.(type) {
	case *perIPConn:
		return w.Conn
	case *perIPTLSConn:
		return w.Conn
	}
	return c
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
	c = unlimited(c)
	if tc, ok := c.(*tls.Conn); ok {
		return tc.NetConn()
	}
	return c
}

// closeWriter is what can be half-closed.
type closeWriter interface{ CloseWrite() error }

// halfCloserOf returns what half-closes c, or nil. That is c itself, and nothing below it:
// not what it has its CloseWrite from, if it closes itself.
func halfCloserOf(c net.Conn) closeWriter {
	c = unlimited(c)
	cw, ok := c.(closeWriter)
	if !ok || closesItself(c) {
		return nil
	}
	return cw
}

// maxWraps bounds the search through wrappers, which may form a cycle.
const maxWraps = 8

// wrapped returns the connection that c wraps, if it exports it in a field
// named Conn, as by embedding a net.Conn; nil otherwise.
func wrapped(c net.Conn) net.Conn {
	v := reflect.Indirect(reflect.ValueOf(c))
	if v.Kind() != reflect.Struct {
		return nil
	}
	field, ok := v.Type().FieldByName("Conn")
	if !ok {
		return nil
	}
	v, err := v.FieldByIndexErr(field.Index) // which may lead through a nil pointer
	if err != nil || !v.CanInterface() {
		return nil
	}
	inner, _ := v.Interface().(net.Conn)
	if v := reflect.ValueOf(inner); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil // whose methods panic
	}
	return inner
}

// known says whether c is of a type whose Read and deadlines are known: a socket or
// pipe of the standard library, one of fasthttputil's, TLS directly on one, and
// upstream's own wrapper round these. Anything else may be code of the application,
// also if it exports what it wraps.
func known(c net.Conn) bool {
	t := reflect.TypeOf(below(c))
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t != nil && (t.PkgPath() == "net" || t.PkgPath() == "github.com/valyala/fasthttp/fasthttputil")
}

// lookedAt is the socket that an unknown wrapper exports, for the kernel to be asked
// what it has received, and for nothing else; or nil.
func lookedAt(c net.Conn) halfCloser {
	for range maxWraps {
		if c = wrapped(c); c == nil {
			break
		}
		if sock, _ := peekable(c); sock != nil {
			return sock
		}
	}
	return nil
}

// rawSocket is a socket that does not ask what it is from again, which may have let go of
// it.
type rawSocket struct{ syscall.RawConn }

func (s rawSocket) SyscallConn() (syscall.RawConn, error) { return s.RawConn, nil }

// socketBelow is the socket of a connection that is closed by its own Close: what it
// exports, or has a SyscallConn for; or nil.
func socketBelow(c net.Conn) (sock syscall.Conn) {
	from, _ := unlimited(c).(syscall.Conn)
	if exported := lookedAt(c); exported != nil {
		from = exported
	}
	if from == nil {
		return nil
	}
	defer func() {
		if recover() != nil { // a promoted method, of nothing
			sock = nil
		}
	}()
	raw, err := from.SyscallConn()
	if err != nil || raw == nil {
		return nil
	}
	return rawSocket{raw}
}
