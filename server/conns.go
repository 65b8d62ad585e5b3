package fasthttp

import (
	"net"
	"slices"
	"time"
)

// maxConns limits the connections that [Server.Conns] lists.
const maxConns = 100

// OpenConn is an open connection of a Server.
type OpenConn struct {
	// RemoteAddr is the peer's address.
	RemoteAddr string

	// State is StateNew, StateActive or StateIdle.
	State ConnState

	// Since is when the Server began with the connection.
	Since time.Time

	// StopSeen says that its serve loop has observed the stop.
	StopSeen bool
}

// Conns lists open connections, oldest first, 100 at most: those that have not
// seen the stop before those that have, as they are what a drain waits for. It
// takes time in proportion to the open connections.
func (s *Server) Conns() []OpenConn {
	type found struct {
		OpenConn
		addr net.Addr
	}
	before := func(a, b found) int {
		switch {
		case a.StopSeen == b.StopSeen:
			return a.Since.Compare(b.Since)
		case b.StopSeen:
			return -1
		}
		return 1
	}
	list := make([]found, 0, maxConns)
	now := time.Now()
	s.connTable().each(func(dc *drainConn) {
		f := found{OpenConn: OpenConn{Since: now, StopSeen: dc.stopSeen}}
		if since := dc.since.Load(); since != 0 {
			f.Since = time.Unix(0, since)
		}
		// Most of many connections end here: the lock is held.
		if len(list) == maxConns && before(list[maxConns-1], f) <= 0 {
			return
		}
		f.State, _ = dc.state()
		f.addr = dc.Conn.RemoteAddr()
		at, _ := slices.BinarySearchFunc(list, f, before)
		list = slices.Insert(list[:min(len(list), maxConns-1)], at, f)
	})
	conns := make([]OpenConn, len(list))
	for i, f := range list {
		conns[i] = f.OpenConn
		if f.addr != nil {
			conns[i].RemoteAddr = f.addr.String()
		}
	}
	return conns
}
