package acceptqueue

import (
	"crypto/tls"
	"net"
	"os"
	"reflect"
	"syscall"
	"time"
)

// socket is a listener of the standard library that is a socket.
type socket interface {
	net.Listener
	syscall.Conn
	SetDeadline(t time.Time) error
}

// asSocket returns ln itself if it is a socket of a known type, and nil if not:
// a type that embeds one has its methods, and perhaps an Accept or Close that
// does something else.
func asSocket(ln net.Listener) socket {
	switch ln := ln.(type) {
	case *net.TCPListener:
		if ln != nil {
			return ln
		}
	case *net.UnixListener:
		if ln != nil {
			return ln
		}
	}
	return nil
}

// tlsListener is the type of crypto/tls's listeners.
var tlsListener = reflect.TypeOf(tls.NewListener(nil, nil))

// known returns the socket that ln is, or that a TLS listener stands on directly.
// For anything else it is nil: nobody knows what such a listener does with its
// socket, or who else does something with it.
func known(ln net.Listener) socket {
	if reflect.TypeOf(ln) == tlsListener {
		inner := exported(ln)
		if len(inner) != 1 {
			return nil
		}
		ln = inner[0]
	}
	return asSocket(ln)
}

// maxWraps bounds the search through wrappers, which may form a cycle.
const maxWraps = 8

// visible returns the socket that ln is or exports, through wrappers, or nil. It
// is there to be looked at, and for nothing else.
func visible(ln net.Listener) socket { return search(ln, maxWraps) }

func search(ln net.Listener, wraps int) socket {
	if sock := asSocket(ln); sock != nil || wraps == 0 {
		return sock
	}
	for _, inner := range exported(ln) {
		if sock := search(inner, wraps-1); sock != nil {
			return sock
		}
	}
	return nil
}

// exported returns the listeners in the exported fields of ln, if it is a struct
// or a pointer to one, that are embedded or have the name Listener.
func exported(ln net.Listener) (inner []net.Listener) {
	v := reflect.Indirect(reflect.ValueOf(ln))
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || !field.Anonymous && field.Name != "Listener" {
			continue
		}
		f := v.Field(i)
		if k := f.Kind(); (k == reflect.Pointer || k == reflect.Interface) && f.IsNil() {
			continue
		}
		if l, ok := f.Interface().(net.Listener); ok {
			inner = append(inner, l)
		}
	}
	return inner
}

// Length asks for the length and the limit of the accept queue below a listener:
// on Linux, of a TCP socket, also inside wrappers that export it.
func Length(ln net.Listener) (length, limit int, ok bool) {
	if sock, tcp := visible(ln).(*net.TCPListener); tcp {
		return lengthOf(sock)
	}
	return 0, 0, false
}

// boundPath is the file that a Unix socket is bound to. The socket keeps that
// file's inode, so no other file has its number while the socket is open.
type boundPath struct {
	name string
	file os.FileInfo
}

// pathOf notes the file of a Unix socket; call it when the listener is new.
func pathOf(sock socket) (p boundPath) {
	u, ok := sock.(*net.UnixListener)
	if !ok {
		return p
	}
	if a, ok := u.Addr().(*net.UnixAddr); ok && a.Name != "" && a.Name[0] != '@' {
		p.name = a.Name
		p.file, _ = os.Lstat(p.name)
	}
	return p
}

// leave keeps the Close of a Unix socket from removing a file that is not its own
// any more: a successor has bound the path anew.
func (p boundPath) leave(sock socket) {
	if p.file == nil {
		return
	}
	now, err := os.Lstat(p.name)
	if err == nil && !os.SameFile(p.file, now) {
		// Which Plan 9's does not have.
		if u, ok := sock.(interface{ SetUnlinkOnClose(unlink bool) }); ok {
			u.SetUnlinkOnClose(false)
		}
	}
}
