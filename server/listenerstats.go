package fasthttp

import (
	"net"
	"reflect"
	"syscall"
)

// ListenerStats shows a listener's accept queue: the connections that the
// kernel has completed and nobody has accepted yet.
type ListenerStats struct {
	// Addr is the listener's address.
	Addr string

	// Queue is the length of the accept queue, Backlog its limit. A SYN that
	// meets a full queue is dropped, and the client tries again a second later.
	Queue, Backlog int

	// Known says whether the kernel could be asked: on Linux, for a TCP
	// listener, also inside wrappers that export it as Listener.
	Known bool
}

// ListenerStats returns the listeners that Serve is accepting from.
func (s *Server) ListenerStats() []ListenerStats {
	loops := s.acceptLoops()
	stats := make([]ListenerStats, len(loops))
	for i, l := range loops {
		stats[i].Addr = addrOf(l.ln)
		for ln := l.ln; ln != nil; ln = inner(ln) {
			if sc, ok := ln.(syscall.Conn); ok {
				stats[i].Queue, stats[i].Backlog, stats[i].Known = acceptQueue(sc)
				break
			}
		}
	}
	return stats
}

// inner returns the listener that ln wraps, if it exports it in a field named
// Listener, as crypto/tls's does; nil otherwise.
func inner(ln net.Listener) net.Listener {
	v := reflect.ValueOf(ln)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	if v = v.FieldByName("Listener"); !v.IsValid() || !v.CanInterface() {
		return nil
	}
	wrapped, _ := v.Interface().(net.Listener)
	return wrapped
}
