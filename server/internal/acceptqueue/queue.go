package acceptqueue

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	// pause is how long a listener that cannot be polled is given to come up with
	// the next connection, and the pause after an error such as EMFILE, which
	// passes when connections close.
	pause = 5 * time.Millisecond

	// away is how long an accept loop that was woken may take to come back. It is
	// longer than a loaded machine takes, as only the loop closes its socket
	// without delay: a descriptor stays open while another goroutine has an Accept.
	away = 25 * time.Millisecond

	// look is the time between two looks at the socket of an unknown wrapper.
	look = time.Millisecond

	// longest bounds what is accepted when the time is up, where the length of the
	// queue is not known: net.core.somaxconn as it comes.
	longest = 4096
)

// expired is a deadline that has passed: it wakes an Accept.
var expired = time.Unix(1, 0)

// A Queue is the accept queue of a listener. It begins to do something when it
// is opened.
//
// Who does what: the accept loops call Accept, the goroutine that stops the
// listener calls Open and Close. Open begins the strategy, wakes the loops, and
// leaves a goroutine behind, the watch, which closes the listener where no loop
// does; it ends when the listener is closed. mu guards what stands below it, and
// the calls of the strategy's waits, so that a look and the close that follows
// from it are one step. until and giveUp are written before opening is closed, when
// Open begins, strategy before opened is, closing when nothing more is to be accepted,
// closed when the Close of the listener has returned.
type Queue struct {
	ln    net.Listener
	conns Descriptors
	sock  socket // below ln, of known type; or nil
	seen  socket // that ln exports, to be looked at; or nil
	path  boundPath

	until  time.Time
	giveUp <-chan struct{}

	opening, opened, closing, closed chan struct{}

	mu       sync.Mutex
	strategy strategy
	restore  func() // for others who have the socket, after the close; or nil
	report   Report
	err      error
	inside   int // loops in Accept
	turns    int // calls of Accept
	left     int // that may be accepted when the time is up; -1: not yet looked
}

// Report says how an accept queue was emptied.
type Report struct {
	// Addr is the listener's address, if it says so in time.
	Addr string

	// Strategy is the name of what was done, Why says why it was not a better one.
	Strategy, Why string

	// Accepted counts the connections that Accept returned from the queue.
	Accepted int

	// Handshakes counts those under way when no new one could begin any more,
	// Unfinished those that were left at the close, and Waited is the time between.
	// They are zero where nobody knows.
	Handshakes, Unfinished int
	Waited                 time.Duration

	// Emptied is false if connections may have been left in the queue.
	Emptied bool
}

// Descriptors calls f with descriptors that are connections: the look for a second one
// of the listener leaves them out. It is called during Open.
type Descriptors func(f func(fd int))

// New makes the Queue of a listener, which is left as it is. Call it before the
// first Accept. conns may be nil.
func New(ln net.Listener, conns Descriptors) *Queue {
	q := &Queue{
		ln: ln, conns: conns, sock: known(ln), seen: visible(ln), left: -1,
		opening: make(chan struct{}), opened: make(chan struct{}),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	q.path = pathOf(q.sock)
	return q
}

// Open begins to empty the queue: the strategies that stop new handshakes do so
// now, and the Accepts of the loops return. From then on the loops have to call
// Accept of the Queue, until it returns io.EOF. The listener is closed when its
// queue is empty, at the latest when the time is up or giveUp is closed, when
// nobody waits for it any more. If there is no loop, as its Serve has failed, it is
// closed at once.
func (q *Queue) Open(until time.Time, giveUp <-chan struct{}, loops bool) {
	q.mu.Lock()
	q.until, q.giveUp = until, giveUp
	q.mu.Unlock()
	close(q.opening)
	if q.sock != nil {
		q.hold()
	}
	s, why := hopeless, "nobody accepts from it"
	if loops {
		s, why = q.choose()
	}
	q.mu.Lock()
	q.strategy = s
	q.report.Strategy, q.report.Why = s.name(), why
	if isClosed(q.closed) { // by the application
		s.release(&q.report)
	}
	close(q.opened)
	q.mu.Unlock()
	go q.watch()
}

// hold makes the loops come back and wait, before the look for others begins:
// whoever connects meanwhile is accepted at one go after it, and waits for an answer
// when the queue is closed, instead of connecting anew at that moment. A loop that
// was woken after the look lost seven times as many, with poll.
func (q *Queue) hold() {
	restore := unblock(q.sock, q.conns)
	q.mu.Lock()
	if q.restore = restore; restore != nil && isClosed(q.closed) {
		restore()
	}
	q.mu.Unlock()
	_ = q.sock.SetDeadline(expired)
}

// Accept is the listener's, after the stop: it returns what is in the queue, or
// io.EOF when the listener has been closed. Before Open it accepts what comes. A
// listener of an unknown type is asked until it has an error, as it may have
// connections of its own.
func (q *Queue) Accept() (net.Conn, error) {
	q.mu.Lock()
	q.inside++
	q.turns++
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		q.inside--
		q.mu.Unlock()
	}()
	for timeouts := 0; q.more(); {
		c, err := q.ln.Accept()
		switch {
		case err == nil:
			q.mu.Lock()
			q.report.Accepted++
			if q.left > 0 {
				q.left--
			}
			q.mu.Unlock()
			return c, nil
		case isClosed(q.closing):
			return nil, io.EOF
		case SaysClosed(err):
			q.close(false, "the listener was closed by somebody else")
			return nil, io.EOF
		case q.sock == nil || !isClosed(q.opened) || !isTimeout(err):
			q.sleep(pause)
		default:
			// The deadline may have been the one that woke the loop, so the first
			// timeout says nothing about the queue.
			if timeouts++; timeouts > 1 && !q.strategy.polls() {
				q.close(true, "")
			}
		}
	}
	return nil, io.EOF
}

// more says whether there may be something to accept, and lets an Accept wait for
// it. If there is nothing in a socket's queue it closes the listener.
func (q *Queue) more() bool {
	if q.sock == nil || !isClosed(q.opening) {
		return true
	}
	<-q.opened // see hold
	q.mu.Lock()
	defer q.mu.Unlock()
	if isClosed(q.closing) {
		return false
	}
	if isClosed(q.giveUp) {
		q.finish(false, "nobody waited for it any longer")
		return false
	}
	if time.Now().Before(q.until) {
		if q.strategy.waits() {
			q.strategy.allow(q.until)
			return true
		}
		q.finish(true, "")
		return false
	}
	if q.lastPass() {
		return true
	}
	q.finish(!q.strategy.waits(), "the time was up")
	return false
}

// lastPass says whether to accept one more when the time is up: of what is in
// the queue then, and no longer. An Accept that comes after its moment, on a loaded
// machine, has accepted nothing, and is tried again. Call it with mu held.
func (q *Queue) lastPass() bool {
	if !q.strategy.polls() {
		return false
	}
	if q.left < 0 {
		q.left = longest
		if n, _, ok := Length(q.sock); ok {
			q.left = n
		}
	}
	if waits, ok := acceptable(q.sock); !ok || !waits || q.left == 0 {
		return false
	}
	allowMoment(q.sock, pause, time.Now().Add(pause))
	return true
}

// watch closes the listener where no accept loop does: the Accept of an unknown
// type is not woken, and a loop may be held up elsewhere, in a callback of the
// application. It does so when the queue is empty. When the time is up it closes
// an unknown listener; a loop that comes back to a socket takes what is there.
func (q *Queue) watch() {
	every := away
	if q.sock == nil {
		every = look
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for turns := -1; ; {
		q.mu.Lock()
		gone := q.sock == nil || q.inside == 0 && q.turns == turns
		turns = q.turns
		switch {
		case !gone || isClosed(q.closing):
		case !q.strategy.waits():
			q.finish(q.strategy != hopeless, "")
		case q.sock != nil:
			// No loop has come back from this deadline, so it is not left there.
			_ = q.sock.SetDeadline(time.Time{})
		case !time.Now().Before(q.until):
			q.finish(false, "the time was up")
		}
		q.mu.Unlock()
		select {
		case <-tick.C:
		case <-q.closing:
			return
		}
	}
}

// Close closes the listener, if it is still open, and returns the report, and the
// error of the close. It waits for a Close of the application until the time is
// up or giveUp is closed.
func (q *Queue) Close() (Report, error) {
	q.close(false, "the accept loop did not come back in time")
	q.mu.Lock()
	until, giveUp := q.until, q.giveUp
	q.mu.Unlock()
	timer := time.NewTimer(max(pause, time.Until(until)))
	defer timer.Stop()
	select {
	case <-q.closed:
	case <-giveUp:
	case <-timer.C:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.report, q.err
}

// Closed returns a channel that is closed when the Close of the listener has returned.
func (q *Queue) Closed() <-chan struct{} { return q.closed }

// CloseWakes says whether the listener's Accept returns for certain when it is closed.
func (q *Queue) CloseWakes() bool { return q.sock != nil }

// Ended says whether there is nothing more to accept.
func (q *Queue) Ended() bool { return isClosed(q.closing) }

func (q *Queue) close(emptied bool, why string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.finish(emptied, why)
}

// finish closes the listener, once. emptied says that its queue was empty; if
// not, why says why, unless it was said before. Call it with mu held: a socket is
// closed in the same breath as the look at its queue. The Close of an unknown
// type is code of the application, and runs on a goroutine of its own.
func (q *Queue) finish(emptied bool, why string) {
	if isClosed(q.closing) {
		return
	}
	var err error
	if q.sock != nil {
		q.path.leave(q.sock)
		err = q.ln.Close() // and nothing before it
	}
	close(q.closing)
	q.report.Emptied = emptied
	if !emptied && q.strategy != hopeless {
		q.report.Why = strings.TrimSuffix(why+"; "+q.report.Why, "; ")
	}
	if q.sock == nil {
		go q.closeUnknown()
		return
	}
	q.closedWith(err, q.ln.Addr().String())
}

// closeUnknown closes a listener of an unknown type. What it does after that
// cannot keep it open.
func (q *Queue) closeUnknown() {
	err := q.ln.Close()
	addr := addrOf(q.ln)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closedWith(err, addr)
}

// closedWith is what follows the Close of the listener. Call it with mu held.
func (q *Queue) closedWith(err error, addr string) {
	if err != nil && !SaysClosed(err) {
		q.err = err
	}
	q.report.Addr = addr
	if q.strategy != nil {
		q.strategy.release(&q.report)
	}
	if q.restore != nil {
		q.restore()
	}
	close(q.closed)
}

// addrOf is the address of a listener of an unknown type, if it has one.
func addrOf(ln net.Listener) (addr string) {
	defer func() {
		if recover() != nil { // of a wrapper round nothing, which nobody else asks
			addr = ""
		}
	}()
	if a := ln.Addr(); a != nil {
		return a.String()
	}
	return ""
}

// sleep waits, or less if the listener is closed.
func (q *Queue) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-q.closing:
	}
}

func isClosed(c <-chan struct{}) (closed bool) {
	select {
	case <-c:
		closed = true
	default:
	}
	return closed
}

// SaysClosed says whether an error is that of a closed listener. In-memory and
// other listeners only say so in words, which upstream looks for as well.
func SaysClosed(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) ||
		strings.Contains(err.Error(), "use of closed network connection")
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
