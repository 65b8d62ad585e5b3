package fasthttp

import (
	"bufio"
	"io"
	"sync/atomic"
	"time"
)

// This file has the hooks of the serve loop, in the order in which a
// connection meets them. Before a stop each of them is a branch on what the loop
// has at hand or on the drain's mode; all that a drain does is in the functions
// they call.

// idleWord enters the connection into upstream's map of idle times, with the
// word of its record in the place of one from a pool. Call with s.idleConnsMu held.
func (dc *drainConn) idleWord() (word *atomic.Int64, entered bool) {
	dc.d.s.idleConns[dc.Conn] = dc.idle
	return dc.idle, true
}

// enterLoop is the hook between what the loop prepares and its first turn.
func (dc *drainConn) enterLoop(ctx *RequestCtx) {
	dc.idle.Store(neverIdle)
	dc.since.Store(ctx.connTime.UnixNano()) // in this order, see state
	dc.bindDone(ctx)
}

// beforeWait prepares a wait for the next request that begins after the stop:
// it opens the connection's window and waits no longer than that. A request of
// a pipeline that has been received already is read first. br is nil where no
// reader is held. A socket that blocks does not wait: only what is there is served.
func (dc *drainConn) beforeWait(br *bufio.Reader) {
	if dc.d.mode.Load() < modeStopped {
		return
	}
	if dc.handled { // or a response is held back because of the line ends
		skipLineEnds(br)
	}
	if br != nil && br.Buffered() > 0 {
		return
	}
	dc.seeStop()
	dc.goWaiting()
	if dc.unknownNew() {
		dc.parkAlone()
		return
	}
	dc.openWindow()
	_ = dc.Conn.SetReadDeadline(dc.readBy(dc.windowEnd()))
}

// peekFinal follows a Peek that failed. After the stop it may go on to succeed.
func (dc *drainConn) peekFinal(br *bufio.Reader, err error) error {
	if dc.d.mode.Load() < modeStopped {
		return err
	}
	return dc.finalRead(err, func() error {
		_, err := br.Peek(1)
		return err
	})
}

// Named here, upstream's is watched (see fastdrain pin): what changes in it may have to
// change in ours.
var _ = acquireByteReader

// acquireByteReader waits for the first byte of a request, and holds neither a reader
// nor a ctx meanwhile (ReduceMemoryUsage). Upstream's allocates the byte, and does not
// say why its Read has ended.
func (dc *drainConn) acquireByteReader(ctx **RequestCtx) (*bufio.Reader, error) {
	if br := dc.spare; br != nil {
		dc.spare = nil
		dc.beforeWait(br)
		return br, nil
	}
	s := dc.d.s
	s.releaseCtx(*ctx)
	*ctx = nil // or the wait would keep it alive
	err := dc.readFirst()
	next := s.acquireCtx(dc.Conn)
	*ctx = next
	dc.bindDone(next)
	if err != nil {
		return nil, io.EOF
	}
	next.fbr = firstByteReader{c: dc.Conn, ch: dc.first[0]}
	br := acquireReader(next)
	br.Reset(&next.fbr)
	return br, nil
}

// readFirst reads the first byte of the next request, after the stop for as long as
// the connection may wait.
func (dc *drainConn) readFirst() error {
	if dc.draining() {
		dc.beforeWait(nil)
	}
	err := dc.readByte()
	if err == nil || dc.d.mode.Load() < modeStopped {
		return err
	}
	return dc.finalRead(err, dc.readByte)
}

// readByte reads it. Like a bufio.Reader it bears a Read of nothing, a hundred times;
// upstream panics.
func (dc *drainConn) readByte() error {
	for range 100 {
		switch n, err := dc.Conn.Read(dc.first[:]); {
		case n > 0:
			return nil // an error that came with it comes again
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// begin is called in a drain when the first byte of a request has been read and
// the loop has stored that it is active. It flushes the responses of a pipeline: one
// whose body fails could not be told from those before it. It says whether the loop
// ends here: the request has been refused, or cannot be answered any more.
func (dc *drainConn) begin(ctx *RequestCtx, br *bufio.Reader, bw *bufio.Writer) (ends bool) {
	dc.handled = false
	if bw != nil && bw.Buffered() > 0 && bw.Flush() != nil {
		return true // its client has left
	}
	if dc.d.mode.Load() < modeStopped {
		return false
	}
	if dc.beginFinalRequest(br, bw) {
		return true
	}
	if dc.d.set.Reject {
		dc.refuse(ctx, br, bw)
		return true
	}
	dc.lateDone = true
	dc.bindDone(ctx)
	return false
}

// refuse answers a request with 503 instead of serving it. Its head is read, as
// it says what an answer looks like; its body is left to the linger.
func (dc *drainConn) refuse(ctx *RequestCtx, br *bufio.Reader, bw *bufio.Writer) {
	dc.d.s.setState(dc.Conn, StateActive)
	if bw != nil && bw.Flush() != nil {
		return
	}
	if ctx.Request.Header.Read(br) == io.EOF {
		return
	}
	if bw == nil {
		bw = acquireWriter(ctx)
		defer releaseWriter(dc.d.s, bw)
	}
	ctx.Error("The server is shutting down", StatusServiceUnavailable)
	ctx.SetConnectionClose()
	if after := orDefault(dc.d.set.RetryAfter, time.Second); after > 0 {
		ctx.Response.Header.SetBytesV(HeaderRetryAfter, AppendUint(nil, int((after+time.Second-1)/time.Second)))
	}
	ctx.Response.SkipBody = ctx.IsHead()
	ctx.Response.Header.SetServer(dc.d.s.getServerName())
	_ = dc.Conn.SetWriteDeadline(dc.flushBy())
	if writeResponse(ctx, bw) == nil && bw.Flush() == nil {
		dc.ending = endRefused
		dc.d.count.finalRejected.Add(1)
	}
}

// beginFinalRequest takes back a deadline that the drain set while the loop
// was going active; upstream sets its own only where it has a timeout. It says
// whether the drain has closed the connection, from outside or as no head has come.
func (dc *drainConn) beginFinalRequest(br *bufio.Reader, bw *bufio.Writer) (shut bool) {
	dc.seeStop()
	if dc.endWaiting(true) {
		return true
	}
	dc.final = true
	dc.openWindow()
	if !dc.awaitHead(br, bw) {
		return true
	}
	deadline := zeroTime
	if t := dc.d.s.ReadTimeout; t > 0 {
		deadline = time.Now().Add(t)
	}
	_ = dc.Conn.SetReadDeadline(deadline)
	return false
}

// draining says whether one of the Server's connections may be in a drain. It is
// all that the loop asks for a request in normal life: one load, of a word that is
// written when a drain begins and ends. Whether its own connection is in a drain
// its record says: see drainConn.draining.
func (s *Server) draining() bool {
	return s.drains.begun.Load() != 0
}

// draining says whether the connection's drain has begun.
func (dc *drainConn) draining() bool {
	return dc.d.mode.Load() != modeServing
}

// lastResponse says, in a drain, whether the response that is about to be
// written is the connection's last because of it. It is not asked where that is
// the last anyhow. A hijack is never told to close: the loop would send its 101
// and then skip the hijack handler.
func (dc *drainConn) lastResponse(ctx *RequestCtx, br *bufio.Reader, body *requestStream, hijack bool) bool {
	dc.handled, dc.halfRead = true, false
	if !hijack && !unread(body) {
		skipLineEnds(br)
	}
	dc.ending = endNone
	if !hijack && dc.closes(ctx, br, body) {
		if dc.ending = endClose; unread(body) {
			dc.ending = endCloseInBody
		}
	}
	dc.countFinal()
	return dc.ending.saidClose()
}

// countFinal counts a request that began after the stop and has been handled.
func (dc *drainConn) countFinal() {
	if dc.final {
		dc.final = false
		dc.d.count.finalServed.Add(1)
	}
}

// leavesAtStop takes the place of upstream's question whether the Server stops,
// at the end of the loop's turn, with the next request perhaps received. No: what
// is there is served, and the next wait, or begin, ends the loop.
func (dc *drainConn) leavesAtStop() bool { return false }

// hijack runs a hijack handler, counted.
func (dc *drainConn) hijack(ctx *RequestCtx, r io.Reader, h HijackHandler) {
	s, c := dc.d.s, dc.Conn
	s.drains.hijacked.begin()
	go func() {
		defer s.hijackEnded()
		hijackConnHandler(ctx, r, c, s, h)
	}()
}

// leaveLoop ends the serve loop. In a drain it flushes responses of a pipeline
// that are still in bw: their handlers ran. Not the beginning of one whose body
// stream has failed, which might be taken for all of it. It notes how the connection
// ended.
func (dc *drainConn) leaveLoop(br *bufio.Reader, bw *bufio.Writer, connectionClose bool, err error) {
	dc.served = true
	dc.idle.Store(0) // a lingering connection counts as active
	// No other loop that streams bodies is without its reader when it has said close.
	dc.bodyTaken = br == nil && connectionClose && dc.d.s.StreamRequestBody
	if !dc.draining() {
		if dc.outcome = outcomeClientClosed; connectionClose || err != nil {
			dc.outcome = outcomeOf(connectionClose, err)
		}
		return
	}
	if dc.spare != nil {
		releaseReader(dc.d.s, dc.spare)
		dc.spare = nil
	}
	shut := false
	if dc.d.mode.Load() >= modeStopped {
		dc.seeStop()
		shut = dc.endWaiting(false)
	}
	if connectionClose && !dc.ending.saidClose() {
		dc.countFinal() // lastResponse was not asked
	}
	failed := err != nil && err != errHijacked && (dc.handled || connectionClose)
	if bw != nil && bw.Buffered() > 0 && err != errHijacked && !failed {
		_ = dc.Conn.SetWriteDeadline(dc.flushBy())
		if ferr := bw.Flush(); err == nil {
			err = ferr
		}
	}
	dc.outcome = dc.ending.outcome(connectionClose, err)
	if holdsRequest(br) {
		dc.noteLate(shut)
	}
}

// leastTime is what a response may take that was ready just before the context of
// Shutdown ended, and the rest of a request that was there: its client waits, and most
// sockets take, or have, all of it at once. A Read whose deadline has passed would not
// return what has been received.
const leastTime = 50 * time.Millisecond

// flushBy is the write deadline of the last bytes of a connection.
func (dc *drainConn) flushBy() time.Time {
	return time.Now().Add(max(leastTime, dc.d.rest(max(dc.d.linger, DefaultLinger))))
}
