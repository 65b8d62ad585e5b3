package acceptqueue

import (
	"bytes"
	"os"
	"time"
)

// staysFor is how long the last socket of a group waits for the others, which
// may be stopping as well: the processes of a prefork server get one signal.
const staysFor = 200 * time.Millisecond

// migrates says whether the kernel gives what a listening socket leaves, in its
// queue or half done, to another of its SO_REUSEPORT group, as
// net.ipv4.tcp_migrate_req asks it to: see Documentation/networking/ip-sysctl.rst,
// and inet_csk_listen_stop in net/ipv4/inet_connection_sock.c, for IPv6 too. Then
// nothing has to be waited for, and no client has to wait.
func migrates() bool {
	value, err := os.ReadFile("/proc/sys/net/ipv4/tcp_migrate_req")
	return err == nil && string(bytes.TrimSpace(value)) == "1"
}

// migrateStrategy leaves what is half done to the others of the group. What is
// in the queue is moved at the close, a handshake when its last packet comes
// (tcp_v4_rcv): so somebody has to be there then. Where all sockets of a group
// close at the same time the last one has to wait for the handshakes of all.
//
// Which one is the last they agree upon without a word: the one with the highest
// inode. It waits for the others for a moment, as they may not be stopping at
// all. A socket that finds itself alone first waits for the handshakes under way,
// some of which may be those of sockets that have closed, and then makes itself
// quiet. Not at once: a twin is one of the group, and would be given some.
//
// One that still finds others after its close has lost nothing. One that does
// not, as they have closed in that moment, says so in its report.
type migrateStrategy struct {
	pollStrategy
	diag  listenerDiag
	began time.Time
	alone time.Time // since when; or zero
	last  strategy  // of the last one; or nil
	why   string    // it is not a better one
}

func (s *migrateStrategy) allow(t time.Time) {
	if s.last != nil {
		s.last.allow(t)
	} else {
		allowMoment(s.sock, pause, t)
	}
}

func (s *migrateStrategy) waits() bool {
	if s.last != nil {
		return s.last.waits()
	}
	if s.pollStrategy.waits() {
		return true
	}
	others, err := s.diag.others()
	if err != nil {
		return false
	}
	if len(others) > 0 {
		s.alone = time.Time{}
		return s.staysFor(others) || s.pollStrategy.waits()
	}
	if s.alone.IsZero() {
		s.alone = time.Now()
	}
	if h, err := s.diag.handshakes(s.alone); err == nil && h.fresh > 0 {
		return true
	}
	s.label = Poll
	s.last, s.why = s.quiet(s.diag)
	return s.last.waits()
}

// staysFor says whether to wait for the others.
func (s *migrateStrategy) staysFor(others []diagSocket) bool {
	highest := true
	for _, o := range others {
		if o.backlog <= backlog {
			return true // it is the twin of one that is closing, and takes nothing
		}
		highest = highest && uint64(o.inode) < s.diag.inode
	}
	return highest && time.Since(s.began) < staysFor
}

func (s *migrateStrategy) release(r *Report) {
	if s.last != nil {
		r.Strategy, r.Why = s.last.name(), s.why
		s.last.release(r)
		return
	}
	others, err := s.diag.others()
	for _, o := range others {
		if o.backlog > backlog {
			return
		}
	}
	r.Strategy, r.Why = Poll, "the other sockets on the address closed at the same time"
	if err != nil {
		r.Why = err.Error()
	}
}
