package probe

import (
	"context"
	"errors"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/internal/pool"
)

// client is one HTTP/1.1 client with at most one connection.
type client struct {
	*load
	kind     Kind
	interval time.Duration
	pool     *pool.Pool[connection] // of a pool's client

	connection
	release func() bool // of the connection's end with the load
}

// refusedPause is the least mean time before a client that was refused tries again.
const refusedPause = 50 * time.Millisecond

// run sends requests until the load is over.
func (c *client) run() {
	defer c.leave()
	// Spread the beginning, so that the connections are not used in step.
	if !c.load.pause(rand.N(min(c.interval, poolPause) + 1)) {
		return
	}
	for c.over.Err() == nil {
		begin := time.Now()
		pause := about(c.interval)
		switch {
		case !c.connect():
			// Not sooner than the next request would have come: the rate bounds this, too.
			pause = max(pause, about(refusedPause))
		case c.kind == Pipeline:
			c.exchange(batch)
		default:
			c.exchange(1)
		}
		if c.kind == New {
			c.leave()
		}
		if c.pool != nil && c.open() {
			c.release()
			c.pool.Put(c.connection)
			c.connection = connection{}
		}
		if !c.load.pause(pause - time.Since(begin)) {
			return
		}
	}
}

// leave closes the connection, if there is one.
func (c *client) leave() {
	if c.open() {
		c.release()
		c.drop()
	}
}

// connect gets a connection that can be used: the one of before, one of the pool, or
// a new one. It reports false if there is none to have.
func (c *client) connect() bool {
	if c.pool != nil {
		for c.connection = c.pool.TakeLast(); c.open(); c.connection = c.pool.TakeLast() {
			c.adopt()
			if c.usable() {
				return true
			}
		}
	} else if c.open() && c.usable() {
		return true
	}
	begin := time.Now()
	conn, established, err := dial(c.over, c.target.Load(), c.timeout)
	switch {
	case err == nil:
	case c.over.Err() != nil:
		return false
	case ours(err) != "":
		c.fault(ours(err))
		return false
	case established, errors.Is(err, syscall.ECONNRESET):
		// In the TLS handshake; or the kernel had completed TCP's, and the reset was
		// faster than the dialer's look at the result. A request was about to be sent.
		c.connected(c.kind)
		c.sent(c.kind, 1)
		c.recorder.lost(c.kind, 0, begin, symptom(err, false), err.Error(), 1)
		return false
	default:
		c.refused(c.kind, begin, err)
		return false
	}
	c.connected(c.kind)
	c.connection, c.dialed = conn, time.Now()
	c.adopt()
	return true
}

// adopt ends what the connection waits for when the load gives up.
func (c *client) adopt() {
	conn := c.Conn
	c.release = context.AfterFunc(c.cut, func() { conn.SetDeadline(time.Unix(1, 0)) })
}

// usable looks for FIN directly before the connection is used again, and drops it if
// the server has closed it, or has sent what a client would take for its next answer.
func (c *client) usable() bool {
	got, err := c.look()
	switch {
	case err != nil:
		c.fault("looking at a connection: " + err.Error())
	case got == Nothing:
		return true
	case got == Data:
		c.unasked(c.kind)
	}
	c.leave()
	return false
}

// draw chooses the next request.
func (c *client) draw() (q *prepared, text []byte) {
	q = c.requests[rand.IntN(len(c.requests))]
	switch c.kind {
	case Slow:
		return c.slow, c.slow.keep
	case New:
		return q, q.once
	default:
		return q, q.keep
	}
}

// write sends n requests in one write.
func (c *client) write(text []byte, n int) (sent time.Time, err error) {
	c.SetDeadline(time.Now().Add(c.timeout))
	if c.cut.Err() != nil {
		c.SetDeadline(time.Unix(1, 0)) // the deadline may be later than adopt's
	}
	c.sent(c.kind, n)
	sent = time.Now()
	_, err = c.Write(text)
	return sent, err
}

// lastWord is how long a response is waited for when the request could not be written
// in time.
const lastWord = 100 * time.Millisecond

// exchange sends n requests in one write and reads as many responses, or fewer if one of
// them says `close`: what lies behind that is lost. The connection is dropped then, or
// if a request is lost.
func (c *client) exchange(n int) {
	queue := make([]*prepared, n)
	var text []byte
	for i := range queue {
		q, one := c.draw()
		if queue[i] = q; i == 0 {
			text = one[:len(one):len(one)] // what is appended is a copy
		} else {
			text = append(text, one...)
		}
	}
	sent, failed := c.write(text, n)
	// A server may answer before it has read all of the body, and close. Then its answer
	// is there already, as the connection is no more, and nothing is waited for.
	if failed != nil && symptom(failed, false) == Timeout {
		c.SetReadDeadline(time.Now().Add(lastWord))
	}
	for i, q := range queue {
		if !c.take(q, sent, failed, n-i) {
			return
		}
	}
	if failed != nil {
		c.leave()
	}
}

// take reads the response to the first of n requests that are under way, and reports
// whether the connection goes on. Failed is the error of writing them.
func (c *client) take(q *prepared, sent time.Time, failed error, n int) bool {
	got, begun, err := c.receive(q.response, c.expect)
	if err != nil {
		if failed != nil && !begun {
			err = failed
		}
		c.lose(sent, err, begun, n)
		return false
	}
	c.answered(c.kind, &c.connection, sent, got)
	c.used++
	if got.closing {
		if n > 1 {
			c.recorder.lost(c.kind, c.used, sent, Behind, "", n-1)
		}
		c.leave()
		return false
	}
	return true
}

// lose counts n requests under way as lost, or as unfinished if it is the load that
// has ended, and drops the connection.
func (c *client) lose(sent time.Time, err error, begun bool, n int) {
	switch way := symptom(err, begun); {
	case way == Timeout && c.cut.Err() != nil:
		c.unfinished(c.kind, n)
	case way == Cut && n > 1:
		// The responses to the others had not begun.
		c.recorder.lost(c.kind, c.used, sent, way, err.Error(), 1)
		c.recorder.lost(c.kind, c.used, sent, symptom(err, false), err.Error(), n-1)
	default:
		c.recorder.lost(c.kind, c.used, sent, way, err.Error(), n)
	}
	c.leave()
}
