package fasthttp

import "github.com/valyala/fasthttp/internal/acceptqueue"

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
		stats[i].Queue, stats[i].Backlog, stats[i].Known = acceptqueue.Length(l.ln)
	}
	return stats
}
