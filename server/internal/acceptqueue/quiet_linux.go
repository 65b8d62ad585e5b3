package acceptqueue

import (
	"errors"
	"fmt"
	"time"
)

// quietStrategy is for a listening socket at which no new handshake can begin,
// by a twin or by a filter: those under way finish, and then its queue stays
// empty. The others cannot do that: a handshake that is half done when they
// close is reset.
//
// It waits as long as the kernel has a handshake under way that may finish: one
// whose SYN-ACK has not been sent again. That is at most a second after the
// last SYN (TCP_TIMEOUT_INIT in include/net/tcp.h, RFC 6298 section 2.1), and
// the time for the queue covers it; a client whose round trip is 20 ms is waited
// for 20 ms.
type quietStrategy struct {
	pollStrategy
	diag  listenerDiag
	began time.Time
	undo  func() // after the close

	references *references // or nil

	listing     time.Duration // what the last list of handshakes took
	seen        bool
	first, last handshakes
	err         error
}

var errNotAlone = errors.New("no twin: another socket listens on the address")

// newQuiet makes a strategy of the better kind that the socket allows, or returns
// poll, and says why it is not the best.
func newQuiet(poll pollStrategy) (s strategy, why string) {
	diag, err := diagnose(poll.sock)
	if err != nil {
		return poll, err.Error()
	}
	if diag.grouped && only != SYNFilter && migrates() {
		poll.label = Migrate
		return &migrateStrategy{pollStrategy: poll, diag: diag, began: time.Now()}, errNotAlone.Error()
	}
	others, err := diag.others()
	switch {
	case err != nil:
		return poll, err.Error()
	case len(others) > 0:
		return poll.filtered(diag, errNotAlone)
	}
	return poll.quiet(diag)
}

// quiet makes the strategy of a socket that is alone at its address.
func (s pollStrategy) quiet(diag listenerDiag) (_ strategy, why string) {
	if only == SYNFilter {
		return s.filtered(diag, errors.New("no twin: not wanted"))
	}
	twin, err := openTwin(s.sock)
	if err != nil {
		return s.filtered(diag, fmt.Errorf("no twin: %w", err))
	}
	s.label = Twin
	q := &quietStrategy{pollStrategy: s, diag: diag, began: time.Now(), undo: twin.close}
	q.references, _ = newReferences(s.sock, twin)
	return q, ""
}

// filtered makes the second best, as why the best cannot be had.
func (s pollStrategy) filtered(diag listenerDiag, why error) (strategy, string) {
	undo := func() {}
	if unending := filterSYNUntil(s.sock, s.until.Add(filterGrace)); unending != nil {
		var err error
		if undo, err = filterSYN(s.sock); err != nil {
			return s, fmt.Errorf("%w; no SYN filter: %w", why, err).Error()
		}
		why = fmt.Errorf("%w; the SYN filter does not end by itself: %w", why, unending)
	}
	s.label = SYNFilter
	return &quietStrategy{pollStrategy: s, diag: diag, began: time.Now(), undo: undo}, why.Error()
}

// allow lets an Accept block for a moment, and for longer than the kernel's list
// of handshakes takes: that is walking through the table of all connections.
func (s *quietStrategy) allow(t time.Time) { allowMoment(s.sock, max(pause, 2*s.listing), t) }

// waits looks into the queue, then for handshakes, then into the queue again:
// one that has finished between the looks is in the queue at the last. The
// kernel has it in its table, as a request or as a socket in SYN_RECV, until it
// is in the queue (tcp_check_req in net/ipv4/tcp_minisocks.c puts it there,
// before tcp_child_process makes it established). It is not asked for the table where
// the listener's references tell that there is none.
func (s *quietStrategy) waits() bool {
	if waits, ok := acceptable(s.sock); waits || !ok {
		return waits
	}
	if s.last, s.err = (handshakes{}), nil; !s.references.none() {
		began := time.Now()
		s.last, s.err = s.diag.handshakes(s.began)
		s.listing = time.Since(began)
	}
	if !s.seen {
		s.seen, s.first = true, s.last
	}
	return s.err == nil && s.last.fresh > 0 || s.pollStrategy.waits()
}

func (s *quietStrategy) release(r *Report) {
	s.undo()
	if s.err != nil {
		r.Strategy, r.Why = Poll, fmt.Sprintf("the kernel does not list handshakes: %v", s.err)
	}
	if s.last.deferred > 0 {
		r.Emptied = false
		r.Why = fmt.Sprintf("TCP_DEFER_ACCEPT: %d clients had connected and sent nothing", s.last.deferred)
	}
	r.Handshakes, r.Unfinished, r.Waited = s.first.all, s.last.all, time.Since(s.began)
}
