package acceptqueue

import (
	"errors"
	"net"
	"time"
)

// strategy empties an accept queue. Its methods are called with the Queue's lock
// held: a connection is accepted while waits says so, then the listener is closed
// in the same breath.
type strategy interface {
	// name is what Report shows.
	name() string

	// polls says whether waits knows. If not, a timeout of Accept tells.
	polls() bool

	// waits says whether a connection is in the queue, or may come to it.
	waits() bool

	// allow lets an Accept block until t, or less.
	allow(t time.Time)

	// release is called once, when the listener has been closed, and completes
	// its report.
	release(r *Report)
}

// only, if set, keeps a Queue to a strategy of that name and to the weaker ones.
// Tests set it, also with the linker's -X.
var only string

// The names of the strategies, best first.
const (
	Twin      = "twin"
	Migrate   = "migrate"
	SYNFilter = "syn_filter"
	Poll      = "poll"
	Deadline  = "deadline"
	Close     = "close"
)

// choose finds the best way to empty the queue, and why it is not a better one.
// It begins it: with the strategies that stop new handshakes none begins from
// here on.
func (q *Queue) choose() (s strategy, why string) {
	switch {
	case only == Close:
		return hopeless, "nothing better is wanted"
	case q.seen == nil:
		return hopeless, "the listener is of an unknown type, and hides its socket if it has one"
	case q.sock == nil:
		if _, ok := acceptable(q.seen); !ok {
			return hopeless, "the listener is of an unknown type"
		}
		return pollStrategy{sock: q.seen, label: Poll},
			"the listener is of an unknown type, so its socket is only looked at"
	}
	if _, ok := acceptable(q.sock); !ok {
		return deadlineStrategy{q.sock}, "the queue cannot be polled"
	}
	poll := pollStrategy{sock: q.sock, label: Poll, until: q.until}
	if _, tcp := q.sock.(*net.TCPListener); !tcp {
		return poll, "the listener is not a TCP socket"
	}
	if err := shared(q.sock, q.conns); err != nil {
		return poll, err.Error()
	}
	if only == Poll {
		return poll, "nothing better is wanted"
	}
	return newQuiet(poll)
}

// errNotLinux is why there is no better strategy than to poll elsewhere.
var errNotLinux = errors.New("only Linux can stop new handshakes and finish those under way")

// pollStrategy asks the kernel whether the queue is empty. label is its name, as
// others are made of it; until is when the time for the queue is up.
type pollStrategy struct {
	sock  socket
	label string
	until time.Time
}

func (s pollStrategy) name() string      { return s.label }
func (pollStrategy) polls() bool         { return true }
func (s pollStrategy) allow(t time.Time) { _ = s.sock.SetDeadline(t) }
func (pollStrategy) release(*Report)     {}

func (s pollStrategy) waits() bool {
	waits, _ := acceptable(s.sock)
	return waits
}

// deadlineStrategy accepts until nothing comes for a moment.
type deadlineStrategy struct{ socket }

func (deadlineStrategy) name() string        { return Deadline }
func (deadlineStrategy) polls() bool         { return false }
func (deadlineStrategy) waits() bool         { return true }
func (s deadlineStrategy) allow(t time.Time) { allowMoment(s, pause, t) }
func (deadlineStrategy) release(*Report)     {}

// allowMoment lets an Accept block for a while, or until t if that is sooner.
func allowMoment(sock socket, d time.Duration, t time.Time) {
	if soon := time.Now().Add(d); soon.Before(t) {
		t = soon
	}
	_ = sock.SetDeadline(t)
}

// closeStrategy cannot empty the queue.
type closeStrategy struct{}

var hopeless strategy = closeStrategy{}

func (closeStrategy) name() string    { return Close }
func (closeStrategy) polls() bool     { return true }
func (closeStrategy) waits() bool     { return false }
func (closeStrategy) allow(time.Time) {}
func (closeStrategy) release(*Report) {}
