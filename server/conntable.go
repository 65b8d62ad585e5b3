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

	scanMu sync.Mutex // one scan at a time

	shards [connShards]connShard
}

// connShard is a part of the table: a list of records through their own fields,
// which takes no memory of its own, the newest first. mu guards it. cursor is the
// record that a scan goes on with after it has let go of the lock.
//
// drain is set between a stop and the end of its drain; under mu, so that each
// connection is either counted as open at the stop or as accepted since, and
// ends in one outcome.
type connShard struct {
	mu     sync.Mutex
	n      int
	first  *drainConn
	cursor *drainConn
	drain  *drain
	table  *connTable
	_      [80]byte // keeps two shards' locks out of one cache line
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
	dc.tracked, dc.since = true, accepted.UnixNano()
	if dc.next = sh.first; dc.next != nil {
		dc.next.prev = dc
	}
	sh.first = dc
	sh.n++
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
	if sh.cursor == dc {
		sh.cursor = dc.next
	}
	if dc.prev != nil {
		dc.prev.next = dc.next
	} else {
		sh.first = dc.next
	}
	if dc.next != nil {
		dc.next.prev = dc.prev
	}
	dc.prev, dc.next = nil, nil
	sh.n--
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
// What comes meanwhile is put before the cursor, and what leaves takes the cursor
// on.
func (t *connTable) each(f func(*drainConn)) {
	t.scanMu.Lock()
	defer t.scanMu.Unlock()
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		sh.cursor = sh.first
		for n := 1; sh.cursor != nil; n++ {
			dc := sh.cursor
			sh.cursor = dc.next
			f(dc)
			if n%scanChunk == 0 {
				sh.mu.Unlock()
				sh.mu.Lock()
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
