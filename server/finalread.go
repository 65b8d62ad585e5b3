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
	dc.ending = endFIN
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
