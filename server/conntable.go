package fasthttp

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// connShards spreads the connections over locks, so that a scan and a new
	// connection seldom meet.
	connShards = 64

	// scanChunk bounds how many connections a scan reads in one hold of a
	// shard's lock, and with it how long a new connection may wait.
	scanChunk = 256
)

// connTable holds the open connections of a Server, sharded.
//
// open counts the connections from their acceptance to their close. A drain has
// emptied the table when open is zero: a connection is counted before it is
// handed over and uncounted after its close.
type connTable struct {
	open  atomic.Int64
	next  atomic.Uint32
	empty chan struct{} // a token whenever open falls to zero

	scanMu sync.Mutex
	scan   uint32 // number of the last scan; guarded by scanMu

	shards [connShards]connShard
}

// connShard is a part of the table. conns is unordered: a removal moves the
// last record into the gap. drain is set between a stop and the end of its
// drain; under mu, so that each connection is either counted as open at the
// stop or as accepted since, and ends in one outcome.
type connShard struct {
	mu    sync.Mutex
	conns []*drainConn
	drain *drain
	table *connTable
	_     [80]byte // keeps two shards' locks out of one cache line
}

func newConnTable() *connTable {
	t := &connTable{empty: make(chan struct{}, 1)}
	for i := range t.shards {
		t.shards[i].table = t
	}
	return t
}

// nextShard deals the shards out in turn.
func (t *connTable) nextShard() *connShard {
	return &t.shards[t.next.Add(1)%connShards]
}

// enter adds a record to its shard, unless it is there.
func (dc *drainConn) enter(accepted time.Time) {
	if dc.tracked {
		return
	}
	sh := dc.shard
	sh.mu.Lock()
	dc.tracked, dc.visit, dc.since = true, 0, accepted.UnixNano()
	dc.pos = int32(len(sh.conns)) // #nosec G115
	if len(sh.conns) == cap(sh.conns) {
		// By less than append would, for the sake of the memory of a connection.
		grown := make([]*drainConn, len(sh.conns), len(sh.conns)+max(8, len(sh.conns)/8))
		copy(grown, sh.conns)
		sh.conns = grown
	}
	sh.conns = append(sh.conns, dc)
	if sh.drain != nil {
		sh.drain.count.accepted.Add(1)
	}
	sh.mu.Unlock()
}

// remove takes a record out of its shard and counts its outcome.
func (sh *connShard) remove(dc *drainConn) {
	if !dc.tracked {
		return
	}
	sh.mu.Lock()
	last := len(sh.conns) - 1
	moved := sh.conns[last]
	sh.conns[dc.pos], moved.pos = moved, dc.pos
	sh.conns[last] = nil
	sh.conns = sh.conns[:last]
	if sh.drain != nil && !dc.accounted {
		sh.drain.settle(dc)
	}
	sh.mu.Unlock()
}

// left uncounts a connection and wakes a drain that waits for the last one.
func (t *connTable) left() {
	if t.open.Add(-1) == 0 {
		select {
		case t.empty <- struct{}{}:
		default:
		}
	}
}

// each calls f for the connections open when it began, each once, with its
// shard locked. It holds a lock for scanChunk records at a time, so the picture
// is of one moment only where nothing comes or goes.
//
// It goes down from the end: a removal meanwhile moves a record that has been
// read already, if any, to where it will be met again and known by its mark.
func (t *connTable) each(f func(*drainConn)) {
	t.scanMu.Lock()
	defer t.scanMu.Unlock()
	t.scan++
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		for at, n := len(sh.conns)-1, 0; at >= 0; at-- {
			if dc := sh.conns[at]; dc.visit != t.scan {
				dc.visit = t.scan
				f(dc)
			}
			if n++; n == scanChunk {
				n = 0
				sh.mu.Unlock()
				sh.mu.Lock()
				at = min(at, len(sh.conns))
			}
		}
		sh.mu.Unlock()
	}
}

// eachShard calls f for every shard, locked.
func (t *connTable) eachShard(f func(*connShard)) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		f(sh)
		sh.mu.Unlock()
	}
}
