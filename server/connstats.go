package fasthttp

import "time"

// ConnStats is a snapshot of a Server's connections. Open is always
// New + Active + Idle; hijacked connections are counted apart, as they have
// left the Server's care.
type ConnStats struct {
	// Open is the number of connections that the Server has accepted and not
	// yet closed, lingering ones included.
	Open int

	// New connections have not sent a byte of a request yet.
	New int

	// Active connections are between the first byte of a request and the end
	// of its response, or linger after their half-close, or were handed to a
	// [Server.NextProto] handler.
	Active int

	// Idle connections wait for their next request.
	Idle int

	// StopSeen is how many of the open connections' serve loops have observed
	// the stop: 0 in normal life; in a drain it rises to Open. The difference
	// is what has not noticed yet, long-running handlers as a rule.
	StopSeen int

	// Hijacked is the number of hijack handlers that are running. With
	// KeepHijackedConns a connection leaves this count when its handler
	// returns, and lives on uncounted.
	Hijacked int

	// OldestIdle is how long ago the last request of an idle connection began,
	// of the one where that is longest: upstream keeps that time, in whole
	// seconds. Zero if none is idle.
	OldestIdle time.Duration
}

// ConnStats counts the connections and their states. It reads what the serve
// loop stores anyway, in short holds of the table's locks, so it costs the
// loop nothing; it takes time in proportion to the open connections.
func (s *Server) ConnStats() ConnStats {
	var st ConnStats
	var oldest int64
	s.connTable().each(func(dc *drainConn) {
		switch state, since := dc.state(); state {
		case StateNew:
			st.New++
		case StateActive:
			st.Active++
		default:
			st.Idle++
			if oldest == 0 || since < oldest {
				oldest = since
			}
		}
		if dc.stopSeen {
			st.StopSeen++
		}
	})
	st.Open = st.New + st.Active + st.Idle
	st.Hijacked, _ = s.drains.hijacked.load()
	if oldest != 0 {
		st.OldestIdle = max(0, time.Duration(time.Now().Unix()-oldest)*time.Second)
	}
	return st
}
