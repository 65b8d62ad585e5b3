package fasthttp

import (
	"net"
	"sync"
	"sync/atomic"
)

const (
	// connShards spreads the connections over locks, so that a scan and a new
	// connection seldom meet.
	connShards = 64

	// scanChunk bounds how many connections a scan reads in one hold of a
	// shard's lock, and with it how long a new connection may wait.
	scanChunk = 256

	// spareRecords is how many records a shard keeps for its next connections: a
	// quarter of a megabyte in all, and enough for a connection per request. More
	// are left to the garbage collector.
	spareRecords = 32
)

// connTable holds the open connections of a Server, sharded, from their
// acceptance to the end of their close.
type connTable struct {
	s *Server // whose they are

	next atomic.Uint32 // deals out the shards, but for accept loops

	scanMu sync.Mutex // one scan at a time

	words idleWords

	shards [connShards]connShard
}

// connShard is a part of the table: a list of records through their own fields,
// which takes no memory of its own, the newest first. mu guards it. cursor is the
// record that a scan goes on with after it has let go of the lock. spare is a list
// through next of records that wait for a connection.
//
// drain is set between a stop and the end of its drain; under mu, so that each
// connection is either counted as open at the stop or as accepted since, and
// ends in one outcome.
type connShard struct {
	mu     sync.Mutex
	n      int
	first  *drainConn
	cursor *drainConn
	spare  *drainConn
	spares int
	drain  *drain
	woken  chan struct{} // closed, and made anew, when one of them is not waking any more
	_      [64]byte      // keeps two shards' locks out of one cache line
}

// idleWords deals out the idle words of records, a cache line of them at a time: eight
// records take nine allocations. A record keeps its word.
type idleWords struct {
	mu   sync.Mutex
	left []atomic.Int64
}

func (w *idleWords) one() *atomic.Int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.left) == 0 {
		w.left = make([]atomic.Int64, 8)
	}
	word := &w.left[0]
	w.left = w.left[1:]
	return word
}

func newConnTable(s *Server) *connTable { return &connTable{s: s} }

// track begins the record of a connection, in one of the shards.
//
// It asks for the drain with the shard locked: see endDrain.
// A connection that an accept loop has had in hand while a drain gave up remains
// that drain's, d.
func (t *connTable) track(c net.Conn, shard uint32, d *drain) *drainConn {
	sh := &t.shards[shard%connShards]
	sh.mu.Lock()
	dc := sh.spare
	if dc != nil {
		sh.spare = dc.next
		sh.spares--
	} else {
		dc = &drainConn{shard: sh, idle: t.words.one()}
	}
	if dc.next = sh.first; dc.next != nil {
		dc.next.prev = dc
	}
	sh.first = dc
	sh.n++
	if d == nil {
		d = t.s.currentDrain()
	}
	dc.Conn, dc.d = c, d
	if sh.drain != nil {
		sh.drain.count.accepted.Add(1)
		sh.drain.left.Add(1)
	}
	sh.mu.Unlock()
	return dc
}

// remove takes a record out of its shard, counts its outcome, and keeps it for
// another connection, unless somebody has yet to come back to it (see interrupt).
func (sh *connShard) remove(dc *drainConn) {
	sh.mu.Lock()
	sh.unlink(dc)
	if d := sh.drain; d != nil {
		if !dc.accounted {
			d.settle(dc)
		}
		d.ended()
	}
	if !dc.waking {
		sh.keep(dc)
	}
	sh.mu.Unlock()
}

// keep clears a record for another connection. What only a drain writes need not be
// cleared in normal life.
func (sh *connShard) keep(dc *drainConn) {
	if dc.draining() || !dc.served {
		dc.idle.Store(0) // its loop may have ended by a panic
		*dc = drainConn{shard: sh, idle: dc.idle}
	} else {
		dc.Conn, dc.pooled, dc.served, dc.bodyTaken, dc.outcome = nil, false, false, false, 0
		dc.since.Store(0)
	}
	if sh.spares < spareRecords {
		dc.next = sh.spare
		sh.spare = dc
		sh.spares++
	}
}

// forget takes out a record that no worker was free for: its connection is
// refused, and counted as that.
func (sh *connShard) forget(dc *drainConn) {
	sh.mu.Lock()
	sh.unlink(dc)
	if d := sh.drain; d != nil {
		d.count.accepted.Add(-1)
		d.ended()
	}
	sh.mu.Unlock()
}

func (sh *connShard) unlink(dc *drainConn) {
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
}

// open counts the connections.
func (t *connTable) open() (n int) {
	t.eachShard(func(sh *connShard) { n += sh.n })
	return n
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

// lock locks all shards at once.
func (t *connTable) lock() {
	for i := range t.shards {
		t.shards[i].mu.Lock()
	}
}

func (t *connTable) unlock() {
	for i := range t.shards {
		t.shards[i].mu.Unlock()
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

// connTable returns the Server's table, and makes it where there is none yet, or only
// that of the Server that this one is a copy of.
func (s *Server) connTable() *connTable {
	t := s.drains.table.Load()
	if t != nil && t.s == s {
		return t
	}
	s.drains.table.CompareAndSwap(t, newConnTable(s))
	return s.drains.table.Load()
}
