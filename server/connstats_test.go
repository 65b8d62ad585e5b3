package fasthttp

import (
	"crypto/tls"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func wantConnStats(t *testing.T, s *Server, when string, want ConnStats) {
	t.Helper()
	have := s.ConnStats()
	have.OldestIdle = 0
	if have != want {
		t.Errorf("%s: %+v, want %+v", when, have, want)
	}
}

// A connection is new, active and idle, and sees the stop in each state.
func TestConnStatsStates(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		release, running := make(chan struct{}), make(chan struct{}, 1)
		r := startDrainRig(t, k, heldServer(release, running, Drain{FinalRead: 5 * time.Second}))
		wantConnStats(t, r.s, "before any connection", ConnStats{})
		fresh := r.dial()
		r.awaitTrue("the connection is served", func() bool { return onTheWay(r.s) == 0 && r.s.ConnStats().Open == 1 })
		wantConnStats(t, r.s, "one connection, no byte yet", ConnStats{Open: 1, New: 1})
		idle := r.dialIdle()
		wantConnStats(t, r.s, "one new, one idle", ConnStats{Open: 2, New: 1, Idle: 1})
		active := r.dial()
		active.send("G")
		r.awaitTrue("a first byte counts as active", func() bool { return r.s.ConnStats().Active == 1 })
		active.send(drainGet("/held")[1:])
		r.await("the handler", running)
		wantConnStats(t, r.s, "one of each", ConnStats{Open: 3, New: 1, Active: 1, Idle: 1})

		call := r.stop()
		r.awaitTrue("the waiting connections have seen the stop", func() bool { return r.s.ConnStats().StopSeen == 2 })
		wantConnStats(t, r.s, "after the stop", ConnStats{Open: 3, New: 1, Active: 1, Idle: 1, StopSeen: 2})
		close(release)
		active.want("/held", keepAlive)
		r.awaitTrue("the last connection has seen the stop", func() bool { return r.s.ConnStats().StopSeen == 3 })
		for _, c := range []*drainClient{fresh, idle, active} {
			_ = c.c.Close()
		}
		call.wantNil()
		wantConnStats(t, r.s, "after the drain", ConnStats{})
	})
}

// A connection that lingers counts as active, also one that never carried a
// request, and has seen the stop, also if its close was the application's wish.
func TestConnStatsOfLingeringConnections(t *testing.T) {
	release, running := make(chan struct{}), make(chan struct{}, 1)
	s := heldServer(release, running, Drain{FinalRead: -1, Linger: drainBound})
	handler := s.Handler
	s.Handler = func(ctx *RequestCtx) {
		handler(ctx)
		ctx.SetConnectionClose()
	}
	r := startDrainRig(t, drainKind{net: "tcp"}, s)
	fresh := r.dial()
	r.awaitTrue("the connection is served", func() bool { return onTheWay(s) == 0 && s.ConnStats().Open == 1 })
	closing := r.dial()
	closing.get("/held")
	r.await("the handler", running)
	call := r.stop()
	fresh.wantEOF()
	close(release)
	closing.want("/held", saysClose)
	closing.wantEOF()
	r.awaitTrue("both linger", func() bool { return s.ConnStats() == ConnStats{Open: 2, Active: 2, StopSeen: 2} })
	_, _ = fresh.c.Close(), closing.c.Close()
	call.wantNil()
}

// A connection of a NextProto handler counts as active.
func TestConnStatsOfNextProto(t *testing.T) {
	served, release := make(chan struct{}), make(chan struct{})
	s := &Server{TLSConfig: drainTestTLS().Clone(), Drain: Drain{FinalRead: -1}}
	s.NextProto("other", func(net.Conn) error {
		close(served)
		<-release
		return nil
	})
	k := drainKind{net: "tcp"}
	ln := tls.NewListener(newDrainListener(t, k), s.TLSConfig)
	r := startDrainRigOn(t, k, s, ln)
	c := tls.Client(r.dialRaw(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"other"}}) // #nosec G402
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	r.await("the protocol's handler", served)
	wantConnStats(t, s, "with a NextProto handler", ConnStats{Open: 1, Active: 1})
	call := r.stop()
	close(release)
	newDrainClient(t, c).wantEOF()
	_ = c.Close()
	call.wantNil()
}

func TestConnStatsOldestIdle(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		r := startDrainRig(t, drainKind{net: "memory"}, &Server{})
		c := r.dialIdle()
		r.dial()
		time.Sleep(7 * time.Second)
		r.dialIdle()
		if oldest := r.s.ConnStats().OldestIdle; oldest != 7*time.Second {
			t.Errorf("oldest idle %v, want 7s", oldest)
		}
		_ = c.c.Close()
		r.settle()
		if oldest := r.s.ConnStats().OldestIdle; oldest != 0 {
			t.Errorf("oldest idle %v, want 0s: a new connection does not count", oldest)
		}
	})
}

// Snapshots while connections come and go from several goroutines.
func TestConnStatsWhileConnectionsComeAndGo(t *testing.T) {
	const clients, rounds = 8, 40
	r := startDrainRig(t, drainKind{net: "tcp"}, &Server{Drain: Drain{FinalRead: -1}})
	var wg, watchers sync.WaitGroup
	var done atomic.Bool
	watchers.Go(func() {
		for !done.Load() {
			st := r.s.ConnStats()
			if st.Open != st.New+st.Active+st.Idle || st.New < 0 || st.StopSeen != 0 {
				t.Errorf("snapshot does not add up: %+v", st)
				return
			}
			_ = r.s.DrainReport()
		}
	})
	for range clients {
		wg.Go(func() {
			for range rounds {
				conn, err := net.Dial("tcp", r.ln.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				c := newDrainClient(t, conn)
				_, _ = conn.Write([]byte(drainGet("/x")))
				if _, err := c.read(); err != nil {
					t.Error(err)
				}
				_ = conn.Close()
			}
		})
	}
	wg.Wait()
	r.awaitTrue("no connection is left", func() bool { return r.s.ConnStats().Open == 0 })
	done.Store(true)
	watchers.Wait()
	r.stop().wantNil()
}

// A connection that has sent nothing is never seen as idle, whatever word the
// loop's start has stored. (Not in memory: while the counting runs fake time stands still.)
func TestConnStatsNewIsNotIdle(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		r := startDrainRig(t, k, &Server{})
		var done atomic.Bool
		var counting sync.WaitGroup
		counting.Go(func() {
			for ; !done.Load() && !t.Failed(); runtime.Gosched() {
				if st := r.s.ConnStats(); st.Idle != 0 {
					t.Errorf("no request was sent: %+v", st)
				}
			}
		})
		for range 50 {
			c := r.dial()
			r.awaitTrue("the connection is served", func() bool { return onTheWay(r.s) == 0 && r.s.ConnStats().Open > 0 })
			_ = c.c.Close()
		}
		done.Store(true)
		counting.Wait()
	})
}
