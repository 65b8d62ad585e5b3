package fasthttp

import (
	"bufio"
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"
)

// wrapListener makes connections of unknown types.
type wrapListener struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (l wrapListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.wrap(c), nil
}

func startWrapped(t *testing.T, k drainKind, s *Server, wrap func(net.Conn) net.Conn) *drainRig {
	t.Helper()
	ln := newDrainListener(t, k)
	r := startDrainRigOn(t, k, s, wrapListener{ln, wrap})
	r.ln = ln
	return r
}

// headerConn reads a line of its own before the first request, as the PROXY
// protocol has it, and knows its address from there.
type headerConn struct {
	net.Conn
	br   *bufio.Reader
	once sync.Once
}

func newHeaderConn(c net.Conn) net.Conn { return &headerConn{Conn: c, br: bufio.NewReader(c)} }

func (c *headerConn) header() { c.once.Do(func() { _, _ = c.br.ReadString('\n') }) }

func (c *headerConn) Read(b []byte) (int, error) {
	c.header()
	return c.br.Read(b)
}

func (c *headerConn) RemoteAddr() net.Addr {
	c.header()
	return c.Conn.RemoteAddr()
}

// What reads a header of its own is not interrupted at the stop: that header would
// become the request line.
func TestUnknownWrapperIsNotWokenBeforeItsFirstRequest(t *testing.T) {
	r := startWrapped(t, drainKind{net: "tcp"}, &Server{}, newHeaderConn)
	c := r.dial()
	awaitReading(r, 1)
	call := r.stop()
	c.send("PROXY\r\n")
	c.get("/")
	c.wantCode(StatusOK, saysClose)
	_ = c.c.Close()
	call.wantNil()
}

// Nor at the end of the window: as with upstream it has five seconds from its begin,
// and a stop with less time does not end gracefully.
func TestUnknownWrapperHasItsTimeForAHeader(t *testing.T) {
	for _, finalRead := range []time.Duration{0, 50 * time.Millisecond, -1} {
		for _, sends := range []bool{true, false} {
			inDrainBubble(t, func(t *testing.T) {
				r := startWrapped(t, drainKind{net: "memory"}, &Server{Drain: Drain{FinalRead: finalRead}}, newHeaderConn)
				c := r.dial()
				synctest.Wait()
				short, cancel := context.WithTimeout(r.ctx, time.Second)
				defer cancel()
				if err := r.s.ShutdownWithContext(short); err != context.DeadlineExceeded {
					t.Errorf("Shutdown with a context of 1 s: %v", err)
				}
				call := r.stop()
				if sends {
					time.Sleep(newTime - 2*time.Second)
					c.send("PROXY\r\n")
					c.get("/")
					c.wantCode(StatusOK, saysClose)
				}
				c.wantEOF()
				_ = c.c.Close()
				call.wantNil()
			})
		}
	}
}

// It has that time also if it came from the accept queue, whatever its own deadline.
func TestUnknownWrapperFromTheQueueHasItsTimeForAHeader(t *testing.T) {
	for _, finalRead := range []time.Duration{0, -1} {
		inDrainBubble(t, func(t *testing.T) {
			r := startDrainRig(t, drainKind{net: "memory"}, &Server{Drain: Drain{FinalRead: finalRead}})
			holding := r.dialIdle()
			emptied := make(chan struct{})
			onPhase := r.s.Drain.OnPhase
			r.s.Drain.OnPhase = func(p DrainPhase) {
				onPhase(p)
				if p == PhaseClosingListeners {
					<-emptied
				}
			}
			call := r.stop()
			ours, theirs := net.Pipe()
			served := make(chan error, 1)
			go func() { served <- r.s.ServeConn(newHeaderConn(theirs)) }() // while the queue is emptied
			r.settle()
			close(emptied)
			time.Sleep(DefaultFinalRead + partRead)
			c := newDrainClient(t, ours)
			c.send("PROXY\r\n")
			c.get("/")
			c.wantCode(StatusOK, saysClose)
			_, _ = ours.Close(), holding.c.Close()
			call.wantNil()
			<-served
		})
	}
}

// A stop with five seconds ends in time, as upstream's does: it counts whole ones.
func TestUnknownWrapperEndsWithinFiveSeconds(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		time.Sleep(time.Now().Truncate(time.Second).Add(1500 * time.Millisecond).Sub(time.Now()))
		r := startWrapped(t, drainKind{net: "memory"}, &Server{}, newHeaderConn)
		c := r.dial()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(r.ctx, newTime)
		defer cancel()
		if err := r.s.ShutdownWithContext(ctx); err != nil {
			t.Errorf("Shutdown: %v, %v", err, r.s.DrainReport())
		}
		if o := r.s.DrainReport().Outcomes; o != (DrainOutcomes{ClosedIdle: 1}) {
			t.Errorf("outcomes %+v, want one closed idle", o)
		}
		_ = c.c.Close()
	})
}

// ReadTimeout ends it before, as with upstream: a header that does not come, or a
// handshake in disguise, is not waited for without a deadline from there on.
func TestUnknownWrapperEndsWithReadTimeout(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		inDrainBubble(t, func(t *testing.T) {
			s := &Server{ReadTimeout: 700 * time.Millisecond, Drain: Drain{FinalRead: 2 * time.Second}}
			r := startWrapped(t, drainKind{"memory", reduce}, s, func(c net.Conn) net.Conn { return nilConn{Conn2: c} })
			c := r.dial()
			synctest.Wait()
			call := r.stop()
			c.wantEOF()
			_ = c.c.Close()
			if report := call.wantNil(); report.Duration > s.ReadTimeout+DefaultFinalRead {
				t.Errorf("%v, want the end of ReadTimeout", report)
			}
		})
	}
}

// The address of a connection may be known only when its client has sent something:
// nobody waits for it, nor with a lock that a new connection needs.
func TestConnsDoesNotWaitForAnAddress(t *testing.T) {
	r := startWrapped(t, drainKind{net: "tcp"}, &Server{Drain: Drain{FinalRead: -1}}, newHeaderConn)
	silent := r.dial()
	awaitReading(r, 1)
	for range 3 {
		if conns := r.s.Conns(); len(conns) != 1 || conns[0].RemoteAddr != "" {
			t.Fatalf("connections %+v, want one with no address", conns)
		}
	}
	c := r.dial()
	c.send("PROXY\r\n")
	c.get("/")
	c.wantCode(StatusOK, keepAlive)
	r.awaitTrue("its address is told", func() bool {
		for _, conn := range r.s.Conns() {
			if conn.RemoteAddr == c.c.LocalAddr().String() {
				return true
			}
		}
		return false
	})
	call := r.stop()
	_, _ = silent.c.Close(), c.c.Close()
	call.wantNil()
}

// perReadConn gives each Read a deadline of its own, as many idle timeouts do.
type perReadConn struct{ net.Conn }

func (c perReadConn) Read(b []byte) (int, error) {
	_ = c.SetReadDeadline(time.Now().Add(drainBound))
	return c.Conn.Read(b)
}

// A response that is ready is written whatever a look would have to wait for.
func TestResponseIsNotHeldBackByALook(t *testing.T) {
	for _, closes := range []bool{false, true} {
		for _, finalRead := range []time.Duration{0, -1} {
			release, running := make(chan struct{}), make(chan struct{}, 1)
			s := heldServer(release, running, Drain{FinalRead: finalRead})
			s.CloseOnShutdown = closes
			r := startWrapped(t, drainKind{net: "tcp"}, s, func(c net.Conn) net.Conn { return perReadConn{c} })
			c := r.dial()
			c.get("/held")
			r.await("the handler", running)
			call := r.stop()
			close(release)
			c.want("/held", closes || finalRead < 0)
			_ = c.c.Close()
			call.wantNil()
		}
	}
}

// An idle connection of any type ends as with upstream: closed, within the context,
// and not as a forced one if it has noticed the stop.
func TestIdleUnknownWrapperEndsInTime(t *testing.T) {
	deaf := map[string]bool{"deadlines do nothing": true, "Read holds a lock": true}
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"a deadline per Read":  func(c net.Conn) net.Conn { return perReadConn{c} },
		"deadlines do nothing": func(c net.Conn) net.Conn { return &deafConn{Conn: c} },
		"a pointer to nothing": func(c net.Conn) net.Conn { return nilConn{Conn2: c} },
		"Read holds a lock":    func(c net.Conn) net.Conn { return &lockedConn{Conn: c, lock: make(chan struct{}, 1)} },
	} {
		for _, left := range []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second} {
			t.Run(name+"/"+left.String(), func(t *testing.T) {
				inDrainBubble(t, func(t *testing.T) {
					r := startWrapped(t, drainKind{net: "memory"}, &Server{}, wrap)
					c := r.dial()
					c.get("/")
					c.wantCode(StatusOK, keepAlive)
					synctest.Wait()
					ctx, cancel := context.WithTimeout(r.ctx, left)
					defer cancel()
					if err := r.s.ShutdownWithContext(ctx); err != nil {
						t.Errorf("Shutdown: %v", err)
					}
					want := DrainOutcomes{ClosedIdle: 1}
					if deaf[name] { // it does not notice the stop
						want = DrainOutcomes{Forced: 1}
					}
					if report := r.s.DrainReport(); report.Outcomes != want {
						t.Errorf("%s: %v", report.Verdict(), report)
					}
					_ = c.c.Close()
				})
			})
		}
	}
}

// nilConn embeds a nil pointer on the way to a field named Conn.
type nilConn struct {
	*nilConnInner
	Conn2 net.Conn
}

type nilConnInner struct{ net.Conn }

func (c nilConn) Read(b []byte) (int, error)         { return c.Conn2.Read(b) }
func (c nilConn) Write(b []byte) (int, error)        { return c.Conn2.Write(b) }
func (c nilConn) Close() error                       { return c.Conn2.Close() }
func (c nilConn) LocalAddr() net.Addr                { return c.Conn2.LocalAddr() }
func (c nilConn) RemoteAddr() net.Addr               { return c.Conn2.RemoteAddr() }
func (c nilConn) SetDeadline(t time.Time) error      { return c.Conn2.SetDeadline(t) }
func (c nilConn) SetReadDeadline(t time.Time) error  { return c.Conn2.SetReadDeadline(t) }
func (c nilConn) SetWriteDeadline(t time.Time) error { return c.Conn2.SetWriteDeadline(t) }

// lockedConn has one lock for Read and SetReadDeadline.
type lockedConn struct {
	net.Conn
	lock chan struct{} // in a bubble a Mutex stops the clock
}

func (c *lockedConn) Read(b []byte) (int, error) {
	c.lock <- struct{}{}
	defer func() { <-c.lock }()
	return c.Conn.Read(b)
}

func (c *lockedConn) SetReadDeadline(t time.Time) error {
	c.lock <- struct{}{}
	defer func() { <-c.lock }()
	return c.Conn.SetReadDeadline(t)
}

// recordingConn counts the calls of SetReadDeadline.
type recordingConn struct {
	net.Conn
	deadlines atomic.Int32
}

func (c *recordingConn) SetReadDeadline(time.Time) error {
	c.deadlines.Add(1)
	return nil
}

// A stop that comes between the first word of upstream's loop, which looks like that of
// an idle connection, and the loop's first turn does not wake an unknown wrapper.
func TestUnknownWrapperIsNotWokenAtTheStartOfItsLoop(t *testing.T) {
	for _, over := range []bool{false, true} {
		inDrainBubble(t, func(t *testing.T) {
			s := new(Server)
			c := new(recordingConn)
			dc := s.track(c)
			dc.idle.Store(time.Now().Add(newTime).Unix())
			d := s.currentDrain()
			d.over.Store(over)
			dc.shard.mu.Lock()
			dc.wake(d)
			dc.shard.mu.Unlock()
			synctest.Wait()
			if n := c.deadlines.Load(); n != 0 {
				t.Errorf("the window over %v: %d deadlines set", over, n)
			}
		})
	}
}

// A connection that an earlier drain has left, and that does not obey its deadline, has
// no more time for a head in a later drain than in its own.
func TestHeadOfASurvivorThatIsDeaf(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		k := drainKind{net: "memory"}
		r := startWrapped(t, k, &Server{}, func(c net.Conn) net.Conn { return &deafConn{Conn: c} })
		c := r.dial()
		c.get("/")
		c.want("/", keepAlive)
		synctest.Wait()
		short, cancel := context.WithTimeout(r.ctx, time.Millisecond)
		defer cancel()
		if err := r.s.ShutdownWithContext(short); err != context.DeadlineExceeded {
			t.Fatalf("Shutdown with a context of 1 ms: %v", err)
		}
		r.ln = newDrainListener(t, k)
		go func() { _ = r.s.Serve(r.ln) }()
		time.Sleep(time.Hour)
		call := r.begin(r.ctx)
		synctest.Wait()
		c.send("GET / HTTP/1.1\r\n")
		began := time.Now()
		call.wantNil()
		if took := time.Since(began); took > 2*partRead {
			t.Errorf("a head that does not end has held the second drain for %v", took)
		}
		_ = c.c.Close()
	})
}

// heedlessListener gives what is sent to it, also after its Close.
type heedlessListener struct {
	net.Listener
	conns chan net.Conn
}

func (l *heedlessListener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (l *heedlessListener) Close() error { return nil }

// A connection that comes after a drain, from an Accept that its listener's Close has not
// ended, does not hold the next drain, if it is deaf.
func TestDeafConnectionFromAfterADrain(t *testing.T) {
	inDrainBubble(t, func(t *testing.T) {
		k := drainKind{net: "memory"}
		ln := &heedlessListener{newDrainListener(t, k), make(chan net.Conn)}
		defer close(ln.conns)
		r := startDrainRigOn(t, k, &Server{}, ln)
		if err := r.s.ShutdownWithContext(r.ctx); err != nil {
			t.Fatalf("the first Shutdown: %v", err)
		}
		pc := fasthttputil.NewPipeConns()
		ln.conns <- &deafConn{pc.Conn2()}
		c := newDrainClient(t, pc.Conn1())
		c.get("/after")
		if _, err := c.read(); err != nil {
			t.Fatalf("a request after the first drain: %v", err)
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
		defer cancel()
		if err := r.s.ShutdownWithContext(ctx); err != nil {
			t.Errorf("the second Shutdown: %v, with %s", err, r.describe())
		}
		_ = c.c.Close()
	})
}

// stalledConn comes late to the Read that follows a short deadline, as on a machine that
// is starved. ends is called when the drain has woken it at the end of the window.
type stalledConn struct {
	net.Conn
	wakes atomic.Int32
	ends  func()
}

func (c *stalledConn) SetReadDeadline(t time.Time) error {
	err := c.Conn.SetReadDeadline(t)
	switch left := time.Until(t); {
	case left < 0 && !t.IsZero():
		if c.wakes.Add(1) == 2 { // the first is at the stop
			c.ends()
		}
	case left < 5*tinyRead && !t.IsZero():
		time.Sleep(left + tinyRead)
	}
	return err
}

// A request that the socket below a wrapper has received at the end of its window is
// served, also if the Read of the last look comes late.
func TestLastLookAtAWrapperThatIsStalled(t *testing.T) {
	eachDrainKind(t, "tcp", func(t *testing.T, k drainKind) {
		ends, sent := make(chan struct{}), make(chan struct{})
		r := startWrapped(t, k, &Server{Drain: Drain{FinalRead: 100 * time.Millisecond}}, func(c net.Conn) net.Conn {
			return &stalledConn{Conn: c, ends: func() {
				close(ends)
				<-sent
			}}
		})
		c := r.dialIdle()
		awaitReading(r, 1)
		call := r.stop()
		r.await("the end of the window", ends)
		c.get("/")
		close(sent)
		c.want("/", saysClose)
		c.wantEOF()
		_ = c.c.Close()
		if report := call.wantNil(); report.Late != 0 {
			t.Errorf("%v, want none late", report)
		}
	})
}
