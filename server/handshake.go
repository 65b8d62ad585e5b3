package fasthttp

import (
	"net"
	"time"
)

// This file has the TLS handshake of a connection: it is not counted as a request,
// and a stop neither breaks it nor waits for it without end.

// handshakeTime is the least that a TLS handshake gets in a drain, however
// short the window: connections from the accept queue have to complete it
// before they can send a request.
const handshakeTime = DefaultFinalRead

// getNextProto is upstream's, which completes the TLS handshake, with its
// deadline kept within the window while a drain is under way.
func (dc *drainConn) getNextProto() (string, error) {
	tc, ok := dc.Conn.(tlsConn)
	if !ok {
		return "", nil // no TLS, nothing to negotiate
	}
	hc := &handshakeConn{Conn: dc.Conn, tlsConn: tc, dc: dc, shard: dc.shard}
	if err := hc.begin(); err != nil {
		return "", err
	}
	proto, err := dc.d.s.getNextProto(hc)
	_, handled := dc.d.s.nextProtos[proto]
	if hc.end(handled); err != nil {
		dc.outcome = outcomeError
		return proto, err
	}
	if dc.d.mode.Load() >= modeStopped {
		dc.noTLS = !tc.ConnectionState().HandshakeComplete
		err = dc.Conn.SetReadDeadline(zeroTime)
	}
	return proto, err
}

// handshakeConn is a TLS connection during its handshake: it is not woken by
// the stop, which would break it, but ended at its limit if it waits for the client
// then. What stands below shard is guarded by its mu, as the record's field that leads
// here. A timer of a limit may fire when the record has another connection: it takes
// the shard from here, and asks whether the record still leads here.
type handshakeConn struct {
	net.Conn
	tlsConn

	dc    *drainConn
	shard *connShard

	until  time.Time     // its limit in a drain; or zero
	limit  *time.Timer   // of a socket's handshake in a drain; or nil
	called bool          // a callback was running at the limit
	asking chan struct{} // closed when nobody asks the socket any more; or nil
}

func (hc *handshakeConn) begin() error {
	dc := hc.dc
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	dc.since.Store(time.Now().UnixNano())
	dc.idle.Store(neverIdle) // without a handshake this is one that waits, and is woken
	dc.handshake = hc
	if dc.d.mode.Load() < modeStopped {
		return nil
	}
	return hc.limitFrom(time.Now())
}

func (hc *handshakeConn) end(handled bool) {
	hc.shard.mu.Lock()
	hc.dc.handshake = nil
	if hc.limit != nil {
		hc.limit.Stop()
	}
	if handled {
		hc.dc.idle.Store(0)
	} else {
		hc.dc.since.Store(0) // until enterLoop: upstream's loop stores when a new one counts as idle
	}
	asking := hc.asking
	hc.shard.mu.Unlock()
	if asking != nil {
		<-asking // or it would wait for the Reads that follow
	}
}

// SetReadDeadline sets upstream's deadline for the handshake (ReadTimeout),
// unless the drain's comes first.
func (hc *handshakeConn) SetReadDeadline(t time.Time) error {
	dc := hc.dc
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	if dc.d.mode.Load() >= modeStopped && hc.until.IsZero() { // the stop is on its way here
		if err := hc.limitFrom(dc.d.stopAt); err != nil {
			return err
		}
	}
	if !hc.until.IsZero() && hc.limit == nil {
		t = earlier(t, hc.until)
	}
	if !known(dc.Conn) { // without the lock, as it is code of the application
		dc.shard.mu.Unlock()
		defer dc.shard.mu.Lock()
	}
	return dc.Conn.SetReadDeadline(t)
}

// limitFrom limits a handshake in a drain, counted from the stop or from the
// handshake's begin after it; the window opens later. It is a deadline where the
// Read cannot be asked for, and not on a socket: GetCertificate and the other
// callbacks of a tls.Config may take their time, and a deadline that passes
// meanwhile would fail the Read that follows. On an unknown wrapper nobody knows: it
// has the time that upstream gives one, see patient. Call with shard.mu held.
func (hc *handshakeConn) limitFrom(from time.Time) error {
	dc := hc.dc
	limit := from.Add(dc.d.fits(max(dc.d.finalRead, handshakeTime)))
	sock, _ := stream(dc.Conn)
	expire := func() { hc.expire(sock) }
	switch {
	case hc.limit != nil:
		return nil
	case !known(dc.Conn):
		if until := dc.patientUntil(); limit.Before(until) {
			limit = until
		}
		expire = hc.expireUnknown
		fallthrough
	case sock != nil:
		hc.until = limit
		hc.limit = time.AfterFunc(time.Until(limit), expire)
		return nil
	}
	if t := dc.d.s.ReadTimeout; t > 0 {
		limit = earlier(limit, time.Unix(0, dc.since.Load()).Add(t))
	}
	hc.until = limit
	return dc.Conn.SetReadDeadline(limit)
}

// stallTime is how long a handshake has to wait in one Read, after its limit, to
// count as stalled by its client.
const stallTime = 50 * time.Millisecond

// expire ends a handshake that is past its limit, if it waits for its client. It
// asks the socket: syscall.RawConn has its Read wait for the one under way, as both
// take the lock for reading (internal/poll, FD.RawRead). As long as a callback runs
// it asks again; the client has a limit of its own then for what the server sends
// after it.
func (hc *handshakeConn) expire(sock halfCloser) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return // it is closed
	}
	hc.shard.mu.Lock()
	if hc.dc.handshake != hc {
		hc.shard.mu.Unlock()
		return
	}
	begun, asked := make(chan struct{}), make(chan struct{})
	hc.asking = asked
	hc.shard.mu.Unlock()
	go func() {
		defer close(asked)
		close(begun)
		err = raw.Read(func(uintptr) bool { return true })
	}()
	<-begun
	waits := !within(stallTime, asked)
	hc.shard.mu.Lock()
	defer hc.shard.mu.Unlock()
	again := stallTime
	switch {
	case hc.dc.handshake != hc:
		return
	case !waits && err == nil:
		hc.called = true
	case waits && hc.called:
		hc.called, again = false, hc.dc.d.rest(handshakeTime)
	default:
		_ = sock.SetReadDeadline(expired)
		return
	}
	hc.limit = time.AfterFunc(again, func() { hc.expire(sock) })
}

// expireUnknown closes an unknown wrapper whose handshake is past its limit.
func (hc *handshakeConn) expireUnknown() {
	hc.shard.mu.Lock()
	var shut []net.Conn
	if hc.dc.handshake == hc {
		shut = append(shut, hc.dc.abort())
	}
	hc.shard.mu.Unlock()
	closeAll(shut)
}
