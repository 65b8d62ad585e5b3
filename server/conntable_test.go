package fasthttp

import (
	"bufio"
	"context"
	"io"
	"net"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// shardOfTable puts n records into one shard.
func shardOfTable(tb *connTable, n int) []*drainConn {
	conns := make([]*drainConn, n)
	for i := range conns {
		conns[i] = tb.track(nil, 0, nil)
	}
	return conns
}

// A scan lets go of the lock between its holds. It still meets each connection
// once, though others are removed and records move meanwhile.
func TestScanMeetsEachConnectionOnceWhileOthersLeave(t *testing.T) {
	const n = 5*scanChunk + 7
	tb := newConnTable(new(Server))
	conns := shardOfTable(tb, n)
	if have := tb.shards[0].n; have != n {
		t.Fatalf("%d records in the shard, want %d", have, n)
	}
	met := map[*drainConn]int{}
	staying := map[*drainConn]bool{}
	for i, dc := range conns {
		staying[dc] = i%3 != 0
	}
	var leaving []*drainConn
	for _, dc := range conns {
		if !staying[dc] {
			leaving = append(leaving, dc)
		}
	}

	// The scan hands a token to the remover at each record, so removals get
	// in whenever it lets go of the lock.
	turn := make(chan struct{}, n)
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, dc := range leaving {
			if _, ok := <-turn; !ok {
				return
			}
			tb.shards[0].remove(dc)
		}
	})
	tb.each(func(dc *drainConn) {
		met[dc]++
		turn <- struct{}{}
	})
	close(turn)
	wg.Wait()
	for _, dc := range conns {
		if met[dc] > 1 || staying[dc] && met[dc] != 1 {
			t.Fatalf("a connection (staying: %v) was met %d times", staying[dc], met[dc])
		}
	}
}

// The same, with each order of removals in the gaps between the holds.
func TestScanMeetsEachConnectionOnceWhateverLeaves(t *testing.T) {
	const n = 3 * scanChunk
	for name, pick := range map[string]func(conns []*drainConn) []*drainConn{
		"from the front": func(conns []*drainConn) []*drainConn { return conns[:n/2] },
		"from the end":   func(conns []*drainConn) []*drainConn { return conns[n/2:] },
		"all":            func(conns []*drainConn) []*drainConn { return conns },
		"the middle":     func(conns []*drainConn) []*drainConn { return conns[n/3 : 2*n/3] },
	} {
		t.Run(name, func(t *testing.T) {
			tb := newConnTable(new(Server))
			conns := shardOfTable(tb, n)
			leaves := map[*drainConn]bool{}
			for _, dc := range pick(conns) {
				leaves[dc] = true
			}
			met := map[*drainConn]int{}
			begun := make(chan struct{})
			removed := make(chan struct{})
			go func() {
				defer close(removed)
				<-begun // the scan holds the lock: the removals queue up behind it
				for _, dc := range pick(conns) {
					tb.shards[0].remove(dc)
				}
			}()
			tb.each(func(dc *drainConn) {
				if len(met) == 0 {
					close(begun)
				}
				met[dc]++
			})
			<-removed
			for _, dc := range conns {
				if met[dc] > 1 || !leaves[dc] && met[dc] != 1 {
					t.Fatalf("a connection (leaving: %v) was met %d times", leaves[dc], met[dc])
				}
			}
		})
	}
}

func TestTableForgetsWhatLeaves(t *testing.T) {
	tb := newConnTable(new(Server))
	conns := shardOfTable(tb, 10)
	for i, j := range []int{3, 9, 0, 5, 1, 8, 2, 7, 4, 6} {
		tb.shards[0].remove(conns[j])
		sh := &tb.shards[0]
		left := 0
		for dc, prev := sh.first, (*drainConn)(nil); dc != nil; dc, prev = dc.next, dc {
			if dc.prev != prev || dc == conns[j] {
				t.Fatalf("after %d removals a record does not know the one before it, or is the removed one", i+1)
			}
			left++
		}
		if left != 9-i || sh.n != left {
			t.Fatalf("%d records, counted as %d, after %d of 10 were removed", left, sh.n, i+1)
		}
	}
}

// The record that a scan would go on with leaves while the scan has let go of
// the lock.
func TestScanGoesOnWhereItsNextRecordLeaves(t *testing.T) {
	tb := newConnTable(new(Server))
	conns := shardOfTable(tb, 10)
	sh := &tb.shards[0]
	met, left := map[*drainConn]int{}, map[*drainConn]bool{}
	tb.each(func(dc *drainConn) {
		met[dc]++
		if next := sh.cursor; next != nil {
			left[next] = true
			sh.mu.Unlock()
			sh.remove(next)
			sh.mu.Lock()
		}
	})
	if len(left) != 5 {
		t.Fatalf("%d records left, want 5", len(left))
	}
	for i, dc := range conns {
		if want := map[bool]int{true: 0, false: 1}[left[dc]]; met[dc] != want {
			t.Errorf("record %d (left: %t) was met %d times, want %d", i, left[dc], met[dc], want)
		}
	}
}

// The next connection of a record does not begin in the state that the last one
// has left, whose loop ended by a panic.
func TestRecycledRecordHasNotBegun(t *testing.T) {
	tb := newConnTable(new(Server))
	dc := tb.track(nil, 0, nil)
	dc.since.Store(1)
	dc.idle.Store(neverIdle)
	tb.shards[0].remove(dc)
	if again := tb.track(nil, 0, nil); again != dc || again.waiting() || again.isNew() {
		t.Errorf("the same record: %t, waiting: %t, new: %t", again == dc, again.waiting(), again.isNew())
	}
}

// A record that somebody has yet to come back to is no other connection's.
func TestRecordBeingWokenIsNotRecycled(t *testing.T) {
	tb := newConnTable(new(Server))
	dc := tb.track(nil, 0, nil)
	dc.waking = true
	tb.shards[0].remove(dc)
	if tb.track(nil, 0, nil) == dc {
		t.Error("it is")
	}
}

// stuckConn does not return from SetReadDeadline until it is let go.
type stuckConn struct {
	net.Conn

	calls int
	let   chan struct{}
}

func (c *stuckConn) SetReadDeadline(time.Time) error {
	c.calls++
	<-c.let
	return nil
}

// A second drain does not wake what the first is still waking: the mark is one for both.
func TestWakeOfAWakingRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := new(Server), &stuckConn{let: make(chan struct{})}
		dc := s.track(c)
		wake := func() {
			dc.shard.mu.Lock()
			dc.interrupt()
			dc.shard.mu.Unlock()
			synctest.Wait()
		}
		wake()
		wake()
		if c.calls != 1 {
			t.Errorf("%d calls under way, want 1", c.calls)
		}
		seen := make(chan struct{})
		go func() {
			dc.seeStop()
			close(seen)
		}()
		synctest.Wait()
		select {
		case <-seen:
			t.Error("the loop goes on before its deadline has been set")
		default:
		}
		close(c.let)
		<-seen
	})
}

// The copy of a Server that has been stopped serves, as upstream's does.
func TestCopyOfAStoppedServerServes(t *testing.T) {
	_, b := stoppedAndCopy(t)
	c, client := net.Pipe()
	go func() {
		_, _ = client.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
		_, _ = io.Copy(io.Discard, client)
	}()
	if err := b.ServeConn(c); err != nil {
		t.Error(err)
	}
}

// Nor does it stop the connections of the other, which serves again.
func TestCopyOfAStoppedServerStopsItsOwnConnections(t *testing.T) {
	a, b := stoppedAndCopy(t)
	c, client := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- a.ServeConn(c) }()
	answers := bufio.NewReader(client)
	ask := func(request string) {
		t.Helper()
		if _, err := io.WriteString(client, request); err != nil {
			t.Fatal(err)
		}
		var resp Response
		if err := resp.Read(answers); err != nil {
			t.Fatal(err)
		}
	}
	ask(drainGet("/"))
	ctx, cancel := context.WithTimeout(t.Context(), drainBound)
	defer cancel()
	if err := b.ShutdownWithContext(ctx); err != nil {
		t.Error(err)
	}
	ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// stoppedAndCopy returns a Server that was stopped, and its copy. Vet forbids that.
func stoppedAndCopy(t *testing.T) (stopped, copied *Server) {
	t.Helper()
	stopped, copied = &Server{Handler: func(*RequestCtx) {}}, new(Server)
	if err := stopped.Shutdown(); err != nil {
		t.Fatal(err)
	}
	reflect.ValueOf(copied).Elem().Set(reflect.ValueOf(stopped).Elem())
	return stopped, copied
}

// The idle words of eight records share a cache line, whichever shards these are in.
func TestIdleWordsShareACacheLine(t *testing.T) {
	const line, words = 64, 8
	tb := newConnTable(new(Server))
	lines := map[uintptr]int{}
	for i := range uint32(4 * words) {
		word := tb.track(nil, i, nil).idle
		lines[uintptr(unsafe.Pointer(word))/line]++
	}
	if len(lines) != 4 {
		t.Errorf("%d words in %d lines, want %d in each", 4*words, len(lines), words)
	}
}
