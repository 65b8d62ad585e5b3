package fasthttp

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
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
// acceptTime covers it; a client whose round trip is 20 ms is waited for 20 ms.
type quietStrategy struct {
	pollStrategy
	diag  listenerDiag
	began time.Time
	undo  func()

	mu          sync.Mutex
	listing     time.Duration // what the last list of handshakes took
	seen        bool
	first, left int
	err         error
}

var errNotAlone = errors.New("no twin: another socket listens on the address")

// migrates says whether the kernel gives what a listening socket leaves, in its
// queue or half done, to another of its SO_REUSEPORT group, as
// net.ipv4.tcp_migrate_req asks it to: see Documentation/networking/ip-sysctl.rst,
// and inet_csk_listen_stop in net/ipv4/inet_connection_sock.c, for IPv6 too. Then
// nothing has to be waited for, and no client has to wait.
func migrates() bool {
	value, err := os.ReadFile("/proc/sys/net/ipv4/tcp_migrate_req")
	return err == nil && string(bytes.TrimSpace(value)) == "1"
}

// newQuiet makes a quietStrategy of the better kind that the socket allows. The
// error says why it is not the best.
func newQuiet(poll pollStrategy) (queueStrategy, error) {
	diag, alone, err := diagnose(poll.sc)
	if err != nil {
		return nil, err
	}
	q := &quietStrategy{pollStrategy: poll, diag: diag}
	q.label = strategyTwin
	switch {
	case !alone && onlyStrategy != strategySYNFilter && migrates():
		poll.label = strategyMigrate
		return poll, errNotAlone
	case !alone:
		err = errNotAlone
	case onlyStrategy == strategySYNFilter:
		err = errors.New("no twin: not wanted")
	default:
		if q.undo, err = openTwin(poll.sc); err != nil {
			err = fmt.Errorf("no twin: %w", err)
		}
	}
	q.began = time.Now()
	if err == nil {
		return q, nil
	}
	q.label = strategySYNFilter
	var ferr error
	q.undo, ferr = filterSYN(poll.sc)
	q.began = time.Now()
	if ferr == nil {
		return q, err
	}
	return nil, fmt.Errorf("%w; no SYN filter: %w", err, ferr)
}

// allow lets an Accept block for a moment, and for longer than the kernel's list
// of handshakes takes: that is walking through the table of all connections.
func (q *quietStrategy) allow(t time.Time) {
	q.mu.Lock()
	pause := max(acceptPause, 2*q.listing)
	q.mu.Unlock()
	allowMoment(q, pause, t)
}

// waits looks into the queue, then for handshakes, then into the queue again:
// one that has finished between the looks is in the queue at the last. The
// kernel has it in its table, as a request or as a socket in SYN_RECV, until it
// is in the queue (tcp_check_req in net/ipv4/tcp_minisocks.c puts it there,
// before tcp_child_process makes it established).
func (q *quietStrategy) waits() bool {
	if waits, ok := acceptable(q.sc); waits || !ok {
		return waits
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	began := time.Now()
	fresh, all, err := q.diag.handshakes(q.began)
	q.listing = time.Since(began)
	if !q.seen {
		q.seen, q.first = true, all
	}
	q.left = all
	if err != nil {
		q.err = fmt.Errorf("the kernel does not list handshakes: %w", err)
	} else if fresh > 0 {
		return true
	}
	return q.pollStrategy.waits()
}

func (q *quietStrategy) release(r *ListenerReport) {
	q.undo()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		r.Strategy, r.Why = strategyPoll, q.err.Error()
	}
	r.Handshakes, r.Unfinished, r.Waited = q.first, q.left, time.Since(q.began)
}
