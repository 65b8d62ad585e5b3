package metrics

import (
	"cmp"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// snapshot is all that a scrape reads of a server.
type snapshot struct {
	conns  fasthttp.ConnStats
	drain  fasthttp.DrainReport
	totals fasthttp.DrainTotals
	queues []acceptQueue
}

// acceptQueue is the accept queue of the listeners of one address: with
// SO_REUSEPORT there may be several.
type acceptQueue struct {
	listener      string
	length, limit int
}

// read takes a snapshot. The report is read before the totals: where it says
// that the drain has ended, the totals have all of its connections.
func read(srv *fasthttp.Server) *snapshot {
	s := &snapshot{
		conns:  srv.ConnStats(),
		drain:  srv.DrainReport(),
		queues: acceptQueues(srv.ListenerStats()),
	}
	s.totals = srv.DrainTotals()
	return s
}

func acceptQueues(stats []fasthttp.ListenerStats) []acceptQueue {
	var queues []acceptQueue
	for _, l := range stats {
		if !l.Known {
			continue
		}
		// Prometheus refuses a label that is not UTF-8, and with it the scrape;
		// the path of a Unix socket may be anything.
		q := acceptQueue{strings.ToValidUTF8(l.Addr, "\uFFFD"), l.Queue, l.Backlog}
		at, found := slices.BinarySearchFunc(queues, q, func(a, b acceptQueue) int {
			return cmp.Compare(a.listener, b.listener)
		})
		if found {
			queues[at].length += q.length
			queues[at].limit += q.limit
			continue
		}
		queues = slices.Insert(queues, at, q)
	}
	return queues
}
