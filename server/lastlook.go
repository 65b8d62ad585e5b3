package fasthttp

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"net"
	"time"
)

// tinyRead is how long a last look reads what it cannot peek at: long enough for a
// Read to be tried, too short to wait.
const tinyRead = time.Millisecond

// expired is a read deadline that has passed: it wakes a Read.
var expired = time.Unix(1, 0)

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
	sock, tc := peekable(dc.Conn)
	if sock != nil && tc == nil {
		return requestReceived(sock)
	}
	if !known(dc.Conn) {
		sock := lookedAt(dc.Conn)
		return sock != nil && requestReceived(sock)
	}
	if blocks(sock) {
		return false
	}
	r := br
	if r == nil {
		r = acquireReader(ctx)
	}
	more := dc.readsMore(r, sock)
	_ = dc.Conn.SetReadDeadline(zeroTime)
	switch {
	case br != nil:
	case r.Buffered() > 0:
		dc.spare = r
	default:
		releaseReader(dc.d.s, r)
	}
	return more
}

// readsMore is the look through TLS, or at a connection in memory. Line ends are read
// and thrown away. What the socket has is read for [tinyRead] at most, and counts as a
// request if that does not tell what it is: part of a TLS record, whose rest its sender
// writes at once.
func (dc *drainConn) readsMore(r *bufio.Reader, sock halfCloser) bool {
	end := time.Now().Add(tinyRead)
	for {
		deadline, waits := end, sock != nil && received(sock)
		if sock != nil && !waits {
			deadline = expired // what TLS holds needs no read of the socket
		}
		if dc.Conn.SetReadDeadline(deadline) != nil {
			return false
		}
		_, err := r.Peek(1)
		switch {
		case err != nil:
			dc.halfRead = waits && isTimeout(err)
			return dc.halfRead
		case holdsRequest(r):
			return true
		}
		_, _ = r.Discard(r.Buffered())
	}
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

// lookDeadline is the read deadline of a last look. What the socket below an unknown
// wrapper has received needs no time, but the Read may come late, and one that comes
// after its deadline is not tried.
func (dc *drainConn) lookDeadline(sock halfCloser) time.Time {
	if sock != nil {
		return expired
	}
	look := tinyRead
	if sock := lookedAt(dc.Conn); sock != nil && received(sock) {
		look = max(look, dc.d.rest(partRead))
	}
	return time.Now().Add(look)
}
