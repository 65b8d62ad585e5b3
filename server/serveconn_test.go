package fasthttp

import (
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"
)

// tcpPair returns the two ends of a connection.
func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close(); _ = server.Close() })
	return client, server
}

// ServeConn serves without a listener and without a worker; Shutdown drains its
// connections as well, and waits for their close.
func TestServeConnDrainsWithoutListener(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		s := &Server{Drain: Drain{FinalRead: 5 * time.Second, Linger: drainBound}}
		r := newDrainRig(t, drainKind{"tcp", reduce}, s)
		conn, server := tcpPair(t)
		go func() { r.served <- s.ServeConn(server) }()
		c := newDrainClient(t, conn)
		c.get("/before")
		c.want("/before", keepAlive)
		r.await("the connection to go idle", r.idle)

		call := r.stop()
		c.get("/in-the-window")
		c.want("/in-the-window", saysClose)
		c.get("/late") // must not reset the connection
		c.wantEOF()
		if n := s.GetCurrentConcurrency(); n != 0 {
			// The slot is given back before FIN is seen or soon after.
			r.awaitTrue("the slot of Concurrency is free", func() bool { return s.GetCurrentConcurrency() == 0 })
		}
		select {
		case <-call.done:
			t.Errorf("Shutdown returned %v while a connection lingers", call.err)
		default:
		}
		_ = conn.Close()
		report := call.wantNil()
		if report.OpenAtStop != 1 || report.Outcomes.ClosedAfterResponse != 1 || report.Late != 1 {
			t.Errorf("report %+v, want one connection, closed after its response, late", report)
		}
		if err := <-r.served; err != nil {
			t.Errorf("ServeConn returned %v", err)
		}
	}
}

// Connections given to ServeConn after the stop are served and counted.
func TestServeConnAfterTheStop(t *testing.T) {
	release, running := make(chan struct{}), make(chan struct{}, 1)
	s := heldServer(release, running, Drain{FinalRead: 5 * time.Second})
	r := startDrainRig(t, drainKind{net: "tcp"}, s)
	held := r.dial()
	held.get("/held")
	r.await("the handler", running)
	call := r.stop()

	conn, server := tcpPair(t)
	go func() { r.served <- s.ServeConn(server) }()
	c := newDrainClient(t, conn)
	c.get("/after")
	c.want("/after", saysClose)
	c.wantEOF()
	_ = conn.Close()
	close(release)
	held.want("/held", keepAlive)
	_ = held.c.Close()
	report := call.wantNil()
	if report.OpenAtStop != 1 || report.Accepted != 1 {
		t.Errorf("report %+v, want one connection open at the stop and one accepted since", report)
	}
}

// A handler that panics in ServeConn takes its connection out of the table, so
// that a drain does not wait for it for ever.
func TestPanicInServeConnLeavesTheTable(t *testing.T) {
	s := &Server{Logger: silentDrainLog{}, Handler: func(*RequestCtx) { panic("handler") }}
	pc := fasthttputil.NewPipeConns()
	if _, err := pc.Conn1().Write([]byte(drainGet("/"))); err != nil {
		t.Fatal(err)
	}
	var recovered any
	func() {
		defer func() { recovered = recover() }()
		_ = s.ServeConn(pc.Conn2())
	}()
	if recovered != "handler" {
		t.Errorf("ServeConn recovered the handler's panic, or changed it to %v", recovered)
	}
	if open := s.connTable().open(); open != 0 {
		t.Errorf("%d connections in the table after a panic, want 0", open)
	}
	if st := s.ConnStats(); st.Open != 0 {
		t.Errorf("connections after a panic: %+v, want none", st)
	}
}

// deafConn ignores deadlines, as connections of some libraries do.
type deafConn struct {
	net.Conn
}

func (c *deafConn) SetReadDeadline(time.Time) error { return nil }
func (c *deafConn) SetDeadline(time.Time) error     { return nil }

// A connection whose Read does not obey a deadline is closed by the drain, after
// its window, and does not hold it.
func TestConnectionThatIgnoresDeadlinesIsClosed(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		inDrainBubble(t, func(t *testing.T) {
			s := &Server{}
			r := newDrainRig(t, drainKind{"memory", reduce}, s)
			pc := fasthttputil.NewPipeConns()
			go func() { r.served <- s.ServeConn(&deafConn{Conn: pc.Conn2()}) }()
			c := newDrainClient(t, pc.Conn1())
			c.get("/before")
			c.want("/before", keepAlive)
			r.settle()
			begun := time.Now()
			report := r.stop().wantNil()
			took := time.Since(begun)
			if took < DefaultFinalRead || took > DefaultFinalRead+4*deafGrace {
				t.Errorf("Shutdown took %v, want the window of %v and little more", took, DefaultFinalRead)
			}
			if report.Outcomes.Forced != 1 {
				t.Errorf("outcomes %+v, want one forced", report.Outcomes)
			}
		})
	}
}

// lapsingConn ignores deadlines, too, but for one that passes when lapse is closed: the
// Read that waits then ends as with a timeout, and the next one does not.
type lapsingConn struct {
	deafConn
	lapse chan struct{}
	again chan struct{} // closed by the next wait
	reads chan []byte
	rest  []byte
}

func newLapsingConn(c net.Conn) *lapsingConn {
	l := &lapsingConn{deafConn{c}, make(chan struct{}), make(chan struct{}), make(chan []byte), nil}
	go func() {
		defer close(l.reads)
		for {
			b := make([]byte, 4<<10)
			n, err := c.Read(b)
			if err != nil {
				return
			}
			l.reads <- b[:n]
		}
	}()
	return l
}

func (c *lapsingConn) Read(b []byte) (int, error) {
	lapse := c.lapse
	if lapse == nil {
		close(c.again)
	}
	if len(c.rest) == 0 {
		select {
		case c.rest = <-c.reads:
		case <-lapse:
			c.lapse = nil
			return 0, os.ErrDeadlineExceeded
		}
		if c.rest == nil {
			return 0, io.EOF
		}
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// A connection whose idle timeout passes after the stop is set, but before the drain
// comes to wake it, waits as one that was woken: it is closed, if it is deaf then.
func TestConnectionThatTimesOutBeforeItsWakeIsClosed(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		inDrainBubble(t, func(t *testing.T) {
			s := &Server{}
			r := newDrainRig(t, drainKind{"memory", reduce}, s)
			var conns []*lapsingConn
			for range 2 {
				pc := fasthttputil.NewPipeConns()
				l := newLapsingConn(pc.Conn2())
				conns = append(conns, l)
				go func() { _ = s.ServeConn(l) }()
				c := newDrainClient(t, pc.Conn1())
				c.get("/before")
				c.want("/before", keepAlive)
			}
			r.settle()
			var first sync.Once
			s.currentDrain().pauseWake = func() { // of the first, with the lock of its shard held
				first.Do(func() {
					close(conns[1].lapse)
					<-conns[1].again
				})
			}
			// The second has noted the stop, so the deadlines may be its own.
			if o := r.stop().wantNil().Outcomes; o.Forced != 1 || o.ClosedIdle != 1 {
				t.Errorf("outcomes %+v, want one forced and one closed as idle", o)
			}
		})
	}
}

// A connection between its response and its wait is not taken for one that
// ignores deadlines, however long ago the stop was.
func TestConnectionGoingIdleLongAfterTheStopIsNotForced(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		k := drainKind{net: "memory"}
		running := make(chan struct{}, 1)
		release := make(chan struct{})
		s := heldServer(release, running, Drain{})
		stopSet := make(chan struct{})
		s.ConnState = func(_ net.Conn, state ConnState) {
			if state == StateIdle {
				select {
				case <-stopSet:
					time.Sleep(4 * deafGrace) // past two looks of the drain, and more
				default:
				}
			}
		}
		r := startDrainRig(t, k, s)
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		call := r.stop()
		close(stopSet)
		time.Sleep(time.Minute)
		close(release)
		c.want("/held", keepAlive)
		time.Sleep(4*deafGrace + deafGrace/2)
		c.get("/next")
		c.want("/next", saysClose)
		c.wantEOF()
		if report := call.wantNil(); report.Outcomes.Forced != 0 {
			t.Errorf("outcomes %+v, want none forced", report.Outcomes)
		}
	})
}
