package fasthttp

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// This file has the hooks of the serve loop, in the order in which a
// connection meets them. Before a stop each of them is a load of the drain's
// mode and a branch; all that a drain does is in the functions they call.

// handshakeTime is the least that a TLS handshake gets in a drain, however
// short the window: connections from the accept queue have to complete it
// before they can send a request.
const handshakeTime = DefaultFinalRead

// getNextProto is upstream's, which completes the TLS handshake, with its
// deadline kept within the window while a drain is under way.
func (dc *drainConn) getNextProto() (string, error) {
	tc, ok := dc.c.(tlsConn)
	if !ok {
		return dc.s.getNextProto(dc.c)
	}
	hc := &handshakeConn{Conn: dc.c, tlsConn: tc, dc: dc}
	if err := hc.begin(); err != nil {
		return "", err
	}
	proto, err := dc.s.getNextProto(hc)
	if hc.end(); err != nil {
		return proto, err
	}
	if dc.d.mode.Load() >= modeStopped {
		dc.noTLS = !tc.ConnectionState().HandshakeComplete
		err = dc.c.SetReadDeadline(zeroTime)
	}
	return proto, err
}

// handshakeConn is a TLS connection during its handshake: it is not woken by
// the stop, which would break it, but its deadline is brought forward.
type handshakeConn struct {
	net.Conn
	tlsConn

	dc *drainConn
}

func (hc *handshakeConn) begin() error {
	dc := hc.dc
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	dc.since = time.Now()
	dc.handshaking = true
	if dc.d.mode.Load() < modeStopped {
		return nil
	}
	return dc.limitHandshake(dc.d)
}

func (hc *handshakeConn) end() {
	hc.dc.shard.mu.Lock()
	hc.dc.handshaking = false
	hc.dc.shard.mu.Unlock()
}

// SetReadDeadline sets upstream's deadline for the handshake (ReadTimeout),
// unless the drain's comes first.
func (hc *handshakeConn) SetReadDeadline(t time.Time) error {
	dc := hc.dc
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	dc.handshakeBy = t
	if dc.d.mode.Load() < modeStopped {
		return dc.c.SetReadDeadline(t)
	}
	return dc.limitHandshake(dc.d)
}

// limitHandshake sets the deadline of a handshake in a drain. Call with
// shard.mu held.
func (dc *drainConn) limitHandshake(d *drain) error {
	from := d.stopAt
	if dc.since.After(from) {
		from = dc.since
	}
	limit := from.Add(max(d.finalRead, handshakeTime))
	if dc.handshakeBy.IsZero() || limit.Before(dc.handshakeBy) {
		dc.handshakeBy = limit
	}
	return dc.c.SetReadDeadline(dc.handshakeBy)
}

// peek waits for the first byte of the next request.
func (dc *drainConn) peek(br *bufio.Reader) ([]byte, error) {
	if dc.d.mode.Load() < modeStopped {
		b, err := br.Peek(1)
		if err == nil || dc.d.mode.Load() < modeStopped {
			return b, err
		}
		return dc.peekFinal(br, err)
	}
	return dc.peekFinal(br, nil)
}

func (dc *drainConn) peekFinal(br *bufio.Reader, woken error) (b []byte, err error) {
	err = dc.finalRead(woken, func() error {
		b, err = br.Peek(1)
		return err
	})
	return b, err
}

// acquireByteReader is upstream's, which waits for the first byte without
// holding a reader or a ctx (ReduceMemoryUsage), with the wait in Read below.
func (dc *drainConn) acquireByteReader(ctx **RequestCtx) (*bufio.Reader, error) {
	if br := dc.spare; br != nil {
		dc.spare = nil
		return br, nil
	}
	(*ctx).c = &dc.wait
	br, err := acquireByteReader(ctx)
	(*ctx).c, (*ctx).fbr.c = dc.c, dc.c
	return br, err
}

// firstByteWaiter stands in for a connection while its serve loop waits.
type firstByteWaiter struct {
	net.Conn

	dc *drainConn
}

// Read waits for the first byte of the next request.
func (w *firstByteWaiter) Read(b []byte) (int, error) {
	if w.dc.d.mode.Load() < modeStopped {
		n, err := w.Conn.Read(b)
		if err == nil || w.dc.d.mode.Load() < modeStopped {
			return n, err
		}
		return w.readFinal(b, err)
	}
	return w.readFinal(b, nil)
}

func (w *firstByteWaiter) readFinal(b []byte, woken error) (n int, err error) {
	err = w.dc.finalRead(woken, func() error {
		n, err = w.Conn.Read(b)
		return err
	})
	return n, err
}

// active follows upstream's store of the active state: the first byte of
// request num has been read. The ctx keeps its Done from request to request.
func (dc *drainConn) active(ctx *RequestCtx, num uint64) {
	if num == 1 || dc.d.mode.Load() >= modeStopped || ctx.done.Load() != &dc.d.done {
		dc.begin(ctx, num)
	}
}

func (dc *drainConn) begin(ctx *RequestCtx, num uint64) {
	dc.fresh.Store(false)
	done := &dc.d.done
	if dc.d.mode.Load() >= modeStopped {
		dc.beginFinalRequest()
		if num > 1 || dc.afterStop {
			done = &dc.d.lateDone
		}
	}
	ctx.done.Store(done)
}

// beginFinalRequest takes back a deadline that the drain set while the loop
// was going active; upstream sets its own only where it has a timeout.
func (dc *drainConn) beginFinalRequest() {
	dc.seeStop()
	dc.final = true
	dc.openWindow(time.Now(), dc.d.finalRead)
	deadline := zeroTime
	if t := dc.s.ReadTimeout; t > 0 {
		deadline = time.Now().Add(t)
	}
	_ = dc.c.SetReadDeadline(deadline)
}

// handleFinal takes the Handler's place for a request that began after the
// stop: it counts it, or refuses it.
func (dc *drainConn) handleFinal(ctx *RequestCtx) {
	if !dc.d.set.Reject {
		dc.s.Handler(ctx)
		dc.d.count.finalServed.Add(1)
		return
	}
	ctx.Error("The server is shutting down", StatusServiceUnavailable)
	ctx.SetConnectionClose()
	dc.rejected = true
	dc.d.count.finalRejected.Add(1)
}

// draining says whether Shutdown has been called. It is small enough to be
// inlined into upstream's loop.
func (dc *drainConn) draining() bool {
	return dc.d.mode.Load() != modeServing
}

// lastResponse says, in a drain, whether the response that is about to be written is the
// connection's last because of the drain. A hijack is never told to close: the
// loop would send its 101 and then skip the hijack handler.
func (dc *drainConn) lastResponse(ctx *RequestCtx, br *bufio.Reader, body *requestStream, hijack bool) bool {
	dc.saidClose = !hijack && dc.closes(ctx, br, body)
	dc.inBody = unread(body)
	return dc.saidClose
}

// hijack runs a hijack handler, counted.
func (dc *drainConn) hijack(ctx *RequestCtx, r io.Reader, h HijackHandler) {
	s, c := dc.s, dc.c
	s.drains.hijacked.Add(1)
	go func() {
		defer s.drains.hijacked.Add(-1)
		hijackConnHandler(ctx, r, c, s, h)
	}()
}

// leaveLoop ends the serve loop. In a drain it flushes responses of a pipeline
// that are still in bw: their handlers ran. It notes how the connection ended,
// and drops the idle time before upstream recycles it.
func (dc *drainConn) leaveLoop(br *bufio.Reader, bw *bufio.Writer, connectionClose bool, err error) {
	dc.served = true
	dc.unbind()
	if dc.spare != nil {
		releaseReader(dc.s, dc.spare)
		dc.spare = nil
	}
	if !dc.draining() {
		dc.outcome = outcomeOf(connectionClose, err)
		return
	}
	if bw != nil && bw.Buffered() > 0 && err != errHijacked {
		_ = dc.c.SetWriteDeadline(time.Now().Add(max(dc.d.linger, DefaultLinger)))
		if ferr := bw.Flush(); err == nil {
			err = ferr
		}
	}
	switch {
	case dc.rejected:
		dc.outcome = outcomeRejected
	case dc.closedFIN:
		dc.outcome = outcomeClosedIdle
	default:
		dc.outcome = outcomeOf(connectionClose, err)
	}
	if br != nil && br.Buffered() > 0 {
		dc.noteLate()
	}
}

// outcomeOf is how a connection ended that the drain did not close.
func outcomeOf(connectionClose bool, err error) drainOutcome {
	switch {
	case err == nil && connectionClose:
		return outcomeClosedAfterResponse
	case err == nil:
		return outcomeClientClosed
	case err == errHijacked:
		return outcomeHijacked
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrUnexpectedEOF):
		return outcomeClientClosed
	}
	return outcomeError
}

// stream returns the socket below c, and the TLS connection between them if
// there is one. The socket is nil if c is neither, directly or in one of
// upstream's wrappers: an unknown wrapper may hold bytes of its own.
func stream(c net.Conn) (sock halfCloser, tc *tls.Conn) {
	switch w := c.(type) {
	case *perIPConn:
		c = w.Conn
	case *perIPTLSConn:
		c = w.Conn
	}
	if t, ok := c.(*tls.Conn); ok {
		tc, c = t, t.NetConn()
	}
	switch c := c.(type) {
	case *net.TCPConn:
		return c, tc
	case *net.UnixConn:
		return c, tc
	}
	return nil, tc
}

// halfCloser is a socket.
type halfCloser interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}
