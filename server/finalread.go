package fasthttp

import (
	"bufio"
	"io"
	"time"
)

const (
	// partRead is how long the first byte of a request may take after a last
	// look has found bytes that are none yet: part of a TLS record, which a
	// sender writes at once, or an alert, which is never followed by one.
	partRead = time.Second

	// deafReads is how often a Read may time out before its deadline, until
	// the final read takes it for a connection that ignores deadlines.
	deafReads = 8
)

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
	dc.goWaiting() // or that wait has ended before the stop came to the connection
	switch {
	case dc.noTLS:
		return dc.closeIdle()
	case !isTimeout(failed):
		return failed
	case dc.unknownNew():
		return dc.closeIdle() // that was ReadTimeout: the drain has not woken it
	}
	for range deafReads {
		deadline, on := dc.waitOn()
		if !on || dc.blocked {
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
		if err := dc.Conn.SetReadDeadline(dc.lookDeadline(sock)); err != nil {
			return dc.closeIdle()
		}
		if err := read(); !isTimeout(err) {
			return err
		}
	}
	if !dc.halfRead && (sock == nil || !received(sock)) || dc.blocked && tc != nil {
		return dc.closeIdle()
	}
	if err := dc.Conn.SetReadDeadline(time.Now().Add(max(leastTime, d.rest(partRead)))); err != nil {
		return dc.closeIdle()
	}
	if err := read(); !isTimeout(err) {
		return err
	}
	return dc.closeIdle()
}

// readBy is the deadline of a Read in a drain that is to end by then. A socket that
// blocks obeys none that passes meanwhile, but no Read asks it after one that has: it
// reads what it has received, or TLS holds, and waits for nothing. Only for its first
// request it waits all the same, as with upstream.
func (dc *drainConn) readBy(end time.Time) time.Time {
	sock, tc := stream(dc.Conn)
	if !blocks(sock) || dc.isNew() {
		return end
	}
	dc.blocked = true
	if tc == nil && received(sock) {
		return end
	}
	return expired
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
	mode := d.mode.Load()
	switch mode {
	case modeServing:
		return false
	case modeAbandoned:
		return true
	}
	// What follows an upload that the handler has not read cannot be seen.
	unseen := d.closeOnShutdown && unread(body) && !followed(br, body)
	if mode == modeLameDuck {
		return unseen || !dc.more(ctx, br, body)
	}
	dc.seeStop()
	if !dc.final {
		// Its request began before the stop: the response says so only if the
		// application asked for that, or if no window will follow.
		return unseen || (d.closeOnShutdown || d.finalRead == 0) && !dc.more(ctx, br, body)
	}
	return !time.Now().Before(dc.windowEnd()) || !dc.more(ctx, br, body)
}

// awaitWaker waits until nobody is about to set a deadline. Call with shard.mu held,
// which it lets go of meanwhile.
func (dc *drainConn) awaitWaker() {
	for dc.waking {
		woken := dc.shard.woken
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
