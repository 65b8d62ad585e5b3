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
	// RemoteAddr is the peer's address. It is empty where a connection of an
	// unknown type does not say it at once, as one that waits for the header
	// of the PROXY protocol.
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
		conn net.Conn
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
		f.conn = dc.Conn
		at, _ := slices.BinarySearchFunc(list, f, before)
		list = slices.Insert(list[:min(len(list), maxConns-1)], at, f)
	})
	conns := make([]OpenConn, len(list))
	answers := make(chan addrAnswer, len(list))
	asked := 0
	for i, f := range list {
		conns[i] = f.OpenConn
		switch {
		case known(f.conn):
			conns[i].RemoteAddr = remoteAddr(f.conn)
		case s.drains.asking.Add(1) <= maxConns:
			asked++
			go func() {
				defer s.drains.asking.Add(-1)
				answers <- addrAnswer{i, remoteAddr(f.conn)}
			}()
		default:
			s.drains.asking.Add(-1)
		}
	}
	timer := time.NewTimer(addrTime)
	defer timer.Stop()
	for range asked {
		select {
		case a := <-answers:
			conns[a.of].RemoteAddr = a.addr
		case <-timer.C:
			return conns
		}
	}
	return conns
}

// addrTime is how long the unknown types among the connections have for saying
// their addresses, which is a method of the application's.
const addrTime = 20 * time.Millisecond

// addrAnswer is the address of one of a list.
type addrAnswer struct {
	of   int
	addr string
}

func remoteAddr(c net.Conn) (addr string) {
	defer func() {
		if recover() != nil { // of a wrapper round nothing
			addr = ""
		}
	}()
	if a := c.RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}
