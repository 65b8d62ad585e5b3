package fasthttp

import (
	"net"
	"slices"
	"testing"
	"time"
)

// A snapshot is taken by every scrape, while connections come and go. The
// benchmarks measure what it costs with many connections, and how long it keeps
// a new one waiting.

const benchmarkConns = 100_000

// benchmarkTable fills a Server's table with connections, idle and active.
func benchmarkTable(b *testing.B) *Server {
	b.Helper()
	s := &Server{}
	now := time.Now()
	for i := range benchmarkConns {
		dc := s.track(benchmarkConn{})
		if i%3 != 0 {
			dc.idle.Store(now.Unix() - int64(i%100))
		}
		// Upstream reuses what was used last: the oldest are anywhere.
		dc.since.Store(now.Add(-time.Duration(i*7919%benchmarkConns) * time.Millisecond).UnixNano())
	}
	return s
}

type benchmarkConn struct{ net.Conn }

func (benchmarkConn) RemoteAddr() net.Addr { return benchmarkAddr }

var benchmarkAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

// reportMedian reports the median of the times of all rounds.
func reportMedian(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
}

func BenchmarkConnStats(b *testing.B) {
	s := benchmarkTable(b)
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		begin := time.Now()
		st := s.ConnStats()
		took = append(took, time.Since(begin))
		if st.Open != benchmarkConns {
			b.Fatalf("the snapshot has %d connections of %d", st.Open, benchmarkConns)
		}
	}
	reportMedian(b, took)
}

func BenchmarkConns(b *testing.B) {
	s := benchmarkTable(b)
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		begin := time.Now()
		list := s.Conns()
		took = append(took, time.Since(begin))
		if len(list) != maxConns {
			b.Fatalf("%d connections are listed", len(list))
		}
	}
	reportMedian(b, took)
}

// BenchmarkScanHold measures how long a scan holds a lock that a new connection
// needs: from the first record of a hold to its last, in all holds of all scans.
func BenchmarkScanHold(b *testing.B) {
	s := benchmarkTable(b)
	t := s.connTable()
	var holds []time.Duration
	states := map[ConnState]int{}
	for b.Loop() {
		var shard *connShard
		var begin time.Time
		n := 0
		t.each(func(dc *drainConn) {
			if dc.shard != shard || n == scanChunk {
				shard, begin, n = dc.shard, time.Now(), 0
			}
			n++
			state, _ := dc.state()
			states[state]++
			if n == scanChunk {
				holds = append(holds, time.Since(begin))
			}
		})
	}
	if states[StateActive] == 0 || states[StateIdle]+states[StateNew] == 0 {
		b.Fatalf("the scans saw %v", states)
	}
	reportTail(b, holds, "hold")
}

// BenchmarkInsertDuringScan measures how long a new connection waits for its
// lock while snapshots are taken without a pause.
func BenchmarkInsertDuringScan(b *testing.B) {
	for name, scan := range map[string]func(*Server){
		"ConnStats": func(s *Server) { s.ConnStats() },
		"Conns":     func(s *Server) { s.Conns() },
	} {
		b.Run(name, func(b *testing.B) {
			s := benchmarkTable(b)
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for {
					select {
					case <-stop:
						return
					default:
						scan(s)
					}
				}
			}()
			var waits []time.Duration
			for b.Loop() {
				begin := time.Now()
				dc := s.track(benchmarkConn{})
				waits = append(waits, time.Since(begin))
				dc.shard.remove(dc)
			}
			close(stop)
			<-done
			reportTail(b, waits, "insert")
		})
	}
}

// reportTail reports the upper percentiles of the times.
func reportTail(b *testing.B, took []time.Duration, what string) {
	slices.Sort(took)
	for _, p := range []struct {
		name  string
		share float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}} {
		at := int(p.share * float64(len(took)))
		b.ReportMetric(float64(took[min(at, len(took)-1)].Nanoseconds())/1000, "µs/"+what+"-"+p.name)
	}
}
