package fasthttp

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"time"
)

const (
	// tinyRead is the deadline of a last look on a connection that is no
	// socket: long enough for a Read to be tried, too short to wait.
	tinyRead = time.Millisecond

	// partRead is how long the first byte of a request may take after a last
	// look has found bytes that are none yet: part of a TLS record, which a
	// sender writes at once, or an alert, which is never followed by one.
	partRead = time.Second

	// deafReads is how often a Read may time out before its deadline, until
	// the final read takes it for a connection that ignores deadlines.
	deafReads = 8
)

// expired is a read deadline that has passed: it wakes a Read.
var expired = time.Unix(1, 0)

// finalRead goes on, after the stop, to wait for the first byte of a request
// until the connection's window and the drain's have ended, then takes the last
// look. failed is the error of the read that the stop, or the end of the window,
// interrupted.
//
// read reads that byte. finalRead returns nil once it has done so, or what
// ends the loop: io.EOF for a close without a response, also on a connection
// that never carried a request (RFC 9112 section 9.2 warns of a 408 there).
func (dc *drainConn) finalRead(failed error, read func() error) error {
	d := dc.d
	dc.seeStop()
	switch {
	case dc.noTLS:
		return dc.closeIdle()
	case !isTimeout(failed):
		return failed
	}
	for range deafReads {
		deadline, on := dc.waitOn()
		if !on {
			break
		}
		if err := dc.Conn.SetReadDeadline(deadline); err != nil {
			return dc.closeIdle()
		}
		if deadline.IsZero() && d.over.Load() {
			break // the drain may have woken it before that deadline was set
		}
		if err := read(); !isTimeout(err) {
			return err
		}
	}
	dc.unpark()

	sock, tc := peekable(dc.Conn)
	if sock == nil || tc != nil {
		// What TLS holds needs no read of the socket, and an expired deadline
		// allows none; any other Read has to be tried.
		if err := dc.Conn.SetReadDeadline(lookDeadline(sock)); err != nil {
			return dc.closeIdle()
		}
		if err := read(); !isTimeout(err) {
			return err
		}
	}
	if sock == nil || !received(sock) {
		return dc.closeIdle()
	}
	if err := dc.Conn.SetReadDeadline(time.Now().Add(d.rest(partRead))); err != nil {
		return dc.closeIdle()
	}
	if err := read(); !isTimeout(err) {
		return err
	}
	return dc.closeIdle()
}

// closeIdle closes a connection that waits. The half-close comes here, on the
// heels of the last look.
func (dc *drainConn) closeIdle() error {
	dc.closedFIN = true
	dc.closeWrite()
	return io.EOF
}

// closes decides, in a drain, whether a response says 'Connection: close'.
func (dc *drainConn) closes(ctx *RequestCtx, br *bufio.Reader, body *requestStream) bool {
	d := dc.d
	switch d.mode.Load() {
	case modeServing:
		return false
	case modeLameDuck:
		return !dc.more(ctx, br, body)
	case modeAbandoned:
		return true
	}
	dc.seeStop()
	if !dc.final {
		// Its request began before the stop: the response says so only if the
		// application asked for that, or if no window will follow. What follows
		// an upload that the handler has not read cannot be seen.
		return d.closeOnShutdown && unread(body) && !followed(br, body) ||
			(d.closeOnShutdown || d.finalRead == 0) && !dc.more(ctx, br, body)
	}
	return !time.Now().Before(dc.windowEnd()) || !dc.more(ctx, br, body)
}

// more is the last look before a response: it says whether bytes of a further
// request have been received. It cannot look past the body of the current
// request, and then says yes: the loop comes back to wait for its window. Nor
// does it read from a connection that might block: the response comes first.
func (dc *drainConn) more(ctx *RequestCtx, br *bufio.Reader, body *requestStream) bool {
	if holdsRequest(br) {
		return true
	}
	if unread(body) {
		return true
	}
	if br != nil {
		_, _ = br.Discard(br.Buffered()) // line ends
	}
	sock, tc := peekable(dc.Conn)
	if sock != nil && tc == nil {
		return requestReceived(sock)
	}
	if sock != nil && received(sock) {
		return true
	}
	if !known(dc.Conn) {
		sock := lookedAt(dc.Conn)
		return sock != nil && requestReceived(sock)
	}
	if dc.Conn.SetReadDeadline(lookDeadline(sock)) != nil {
		return false
	}
	r := br
	if r == nil {
		r = acquireReader(ctx)
	}
	_, err := r.Peek(1)
	_ = dc.Conn.SetReadDeadline(zeroTime)
	switch {
	case br != nil:
	case err == nil:
		dc.spare = r
	default:
		releaseReader(dc.s, r)
	}
	return err == nil
}

// peekable is stream for a last look: no socket where the kernel cannot be
// asked what it has received.
func peekable(c net.Conn) (halfCloser, *tls.Conn) {
	sock, tc := stream(c)
	if !canPeek {
		sock = nil
	}
	return sock, tc
}

// unread says whether a part of a streamed request body is still to come. A
// body of known length does not note its end unless somebody reads past it.
func unread(body *requestStream) bool {
	return body != nil && !body.eof &&
		(body.contentLength < 0 || body.totalBytesRead < body.contentLength)
}

// followed says whether br holds the rest of a body that the handler has not read,
// and something behind it. Of a chunked one it says so if anything stands behind the
// first that looks like its end (RFC 9112 section 7.1), without trailers: what is in the
// body may look so, and then the response does without 'Connection: close'.
func followed(br *bufio.Reader, body *requestStream) bool {
	if br == nil {
		return false
	}
	behind, _ := br.Peek(br.Buffered())
	rest := body.contentLength - body.totalBytesRead - body.prefetchedBytes.Len()
	switch {
	case body.contentLength < 0:
		const end = "0\r\n\r\n"
		i := bytes.Index(behind, []byte(end))
		return i >= 0 && lineEnds(behind[i+len(end):]) < len(behind)-i-len(end)
	case rest < 0:
		rest = 0
	}
	return rest < len(behind) && lineEnds(behind[rest:]) < len(behind)-rest
}

// lookDeadline is the read deadline of a last look.
func lookDeadline(sock halfCloser) time.Time {
	if sock != nil {
		return expired
	}
	return time.Now().Add(tinyRead)
}

// wake interrupts the wait of a connection, so that its loop notes the stop.
// Call with shard.mu held.
func (dc *drainConn) wake(d *drain) {
	switch {
	case dc.stopSeen:
	case dc.handshake != nil:
		_ = dc.handshake.limitFrom(d.stopAt)
	case !dc.waiting():
	default:
		if dc.d == d { // not what an earlier drain has left
			dc.waits = true
			d.waiting.Add(1)
		}
		if d.pauseWake != nil {
			d.pauseWake()
		}
		over := d.over.Load()
		if dc.parked = !over && dc.sleeps() || over && dc.patient(time.Now()); !dc.parked {
			dc.interrupt()
		}
	}
}

// sleeps says whether a Read is not interrupted before the window ends, as it could
// not be resumed: TLS on something that is no socket does not survive a timeout that
// is not a net.Error, and an unknown wrapper may be at a header of its own, or at a
// handshake, before its first request.
func (dc *drainConn) sleeps() bool {
	if sock, _ := stream(dc.Conn); sock != nil {
		return false
	}
	_, isTLS := dc.Conn.(tlsConn)
	return isTLS || !known(dc.Conn) && dc.idle.Load() == neverIdle
}

// newTime is how old a connection is before upstream's Shutdown closes it where it
// has not begun a request.
const newTime = 5 * time.Second

// patient says whether a connection is left alone though the window has ended, as
// upstream leaves it: its type is unknown, it has not begun a request, and what its
// Read may be at, a header or a handshake, cannot be resumed. With TLS on it that is
// over when the loop begins.
func (dc *drainConn) patient(now time.Time) bool {
	return dc.unknownNew() && now.Before(dc.patientUntil())
}

// patientUntil is when that ends: upstream counts whole seconds.
func (dc *drainConn) patientUntil() time.Time {
	return time.Unix(time.Unix(0, dc.since.Load()).Add(newTime).Unix(), 0)
}

func (dc *drainConn) unknownNew() bool {
	_, isTLS := dc.Conn.(tlsConn)
	return dc.idle.Load() == neverIdle && !isTLS && !known(dc.Conn)
}

// interrupt wakes the Read of a connection. Call with shard.mu held. The method of
// an unknown wrapper may block: it is called without the lock, and the serving
// goroutine waits for its end before it goes on (see awaitWaker).
func (dc *drainConn) interrupt() {
	if known(dc.Conn) {
		_ = dc.Conn.SetReadDeadline(expired)
		return
	}
	c, woken := dc.Conn, make(chan struct{})
	dc.waking = woken
	go func() {
		_ = c.SetReadDeadline(expired)
		dc.shard.mu.Lock()
		dc.waking = nil
		dc.shard.mu.Unlock()
		close(woken)
	}()
}

// awaitWaker waits until nobody is about to set a deadline. Call with shard.mu held,
// which it lets go of meanwhile.
func (dc *drainConn) awaitWaker() {
	for dc.waking != nil {
		woken := dc.waking
		dc.shard.mu.Unlock()
		<-woken
		dc.shard.mu.Lock()
	}
}

// lookTime is how long the last look may take. What an unknown wrapper takes for it
// is as long as upstream would have given it: none.
func (dc *drainConn) lookTime() time.Duration {
	if !known(dc.Conn) {
		return 0
	}
	return dc.d.rest(partRead)
}

// noticeBy is when a connection that obeys its deadlines has stopped waiting.
// Call with shard.mu held.
func (dc *drainConn) noticeBy(d *drain) time.Time {
	switch {
	case dc.handshake != nil:
		return d.stopAt.Add(dc.window)
	case dc.head != 0:
		return d.stopAt.Add(dc.head)
	case !dc.waiting(), dc.parked:
	case dc.windowOpen:
		return dc.windowEnd().Add(dc.lookTime())
	case d.over.Load() && dc.stopSeen:
		return d.closedBy.Add(dc.lookTime())
	case d.over.Load():
		return d.closedBy
	}
	return time.Now().Add(time.Hour)
}

// isTimeout says whether a read ended by its deadline. It asks for the method
// only, as fasthttputil's timeout is no net.Error.
func isTimeout(err error) bool {
	for err != nil {
		if t, ok := err.(interface{ Timeout() bool }); ok {
			return t.Timeout()
		}
		w, ok := err.(interface{ Unwrap() error })
		if !ok {
			return false
		}
		err = w.Unwrap()
	}
	return false
}

// abort is the close of a connection from outside its goroutine, without the close
// notification that a TLS connection would wait to send: nothing that is read from
// now on is served. It returns what to close. Call with shard.mu held, and close
// without.
func (dc *drainConn) abort() net.Conn {
	dc.aborted = true
	return below(dc.Conn)
}
