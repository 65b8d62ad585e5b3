package fasthttp

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// queueStrategy empties an accept queue. Its methods are called by the accept
// loop, after the stop, in turn: a connection is accepted through the outermost
// listener while waits says so, then the listener is closed in the same breath.
type queueStrategy interface {
	// name is what ListenerReport shows.
	name() string

	// polls says whether waits knows. If not, a timeout of Accept tells.
	polls() bool

	// waits says whether a connection is in the queue, or may be. If not, it
	// lets no further one in, as far as the socket allows.
	waits() bool

	// allow lets an Accept block until t, or less.
	allow(t time.Time)

	// release is called once, when the listener has been closed, and completes
	// its report.
	release(r *ListenerReport)
}

// onlyStrategy, if set, keeps strategyFor to a strategy of that name and to the
// weaker ones. Tests set it, also with the linker's -X.
var onlyStrategy string

// The names of the strategies, best first.
const (
	strategyTwin      = "twin"
	strategyMigrate   = "migrate"
	strategySYNFilter = "syn_filter"
	strategyPoll      = "poll"
	strategyDeadline  = "deadline"
	strategyClose     = "close"
)

// deadliner is a listener whose Accept can be woken.
type deadliner interface {
	SetDeadline(t time.Time) error
}

// deadlinerOf finds what wakes the Accept of ln: ln itself or what it wraps and
// exports as Listener, as crypto/tls's does. It is nil if nothing does.
func deadlinerOf(ln net.Listener) deadliner {
	for ; ln != nil; ln = inner(ln) {
		if dl, ok := ln.(deadliner); ok {
			return dl
		}
	}
	return nil
}

// strategyFor finds the best way to empty the queue of ln, and why it is not a
// better one. It begins it: with the strategies that stop new handshakes none
// begins from here on.
func strategyFor(ln net.Listener) (q queueStrategy, why string) {
	dl := deadlinerOf(ln)
	if dl == nil || onlyStrategy == strategyClose {
		return noStrategy, "the listener cannot be woken, or its socket is hidden"
	}
	sc, ok := dl.(syscall.Conn)
	if ok {
		_, ok = acceptable(sc)
	}
	if !ok {
		return deadlineStrategy{dl}, "the listener is not a socket that can be polled"
	}
	poll := pollStrategy{deadliner: dl, sc: sc, label: strategyPoll}
	if _, tcp := dl.(*net.TCPListener); !tcp {
		return poll, "the listener is not a TCP socket"
	}
	shared := sharedSocket(sc)
	if shared == nil {
		// Nobody else would miss the listening of this socket.
		poll.stops = true
		if onlyStrategy != strategyPoll {
			quiet, err := newQuiet(poll)
			if quiet != nil {
				return quiet, errorText(err)
			}
			shared = err
		}
	}
	return poll, errorText(shared)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// errNotLinux is why there is no better strategy than to poll elsewhere.
var errNotLinux = errors.New("only Linux can stop new handshakes and finish those under way")

// pollStrategy asks the kernel whether the queue is empty. stops says that
// nobody else holds the socket, so that its listening may be ended before it is
// closed. label is its name, as others are made of it.
type pollStrategy struct {
	deadliner
	sc    syscall.Conn
	label string
	stops bool
}

func (q pollStrategy) name() string          { return q.label }
func (pollStrategy) polls() bool             { return true }
func (q pollStrategy) allow(t time.Time)     { _ = q.SetDeadline(t) }
func (pollStrategy) release(*ListenerReport) {}

func (q pollStrategy) waits() bool {
	if q.stops {
		return !stopIfEmpty(q.sc)
	}
	waits, _ := acceptable(q.sc)
	return waits
}

// deadlineStrategy accepts until nothing comes for a moment.
type deadlineStrategy struct{ deadliner }

func (deadlineStrategy) name() string            { return strategyDeadline }
func (deadlineStrategy) polls() bool             { return false }
func (deadlineStrategy) waits() bool             { return true }
func (q deadlineStrategy) allow(t time.Time)     { allowMoment(q, acceptPause, t) }
func (deadlineStrategy) release(*ListenerReport) {}

// allowMoment lets an Accept block for a while, or until t if that is sooner.
func allowMoment(dl deadliner, pause time.Duration, t time.Time) {
	if soon := time.Now().Add(pause); soon.Before(t) {
		t = soon
	}
	_ = dl.SetDeadline(t)
}

// closeStrategy cannot empty the queue.
type closeStrategy struct{}

var noStrategy queueStrategy = closeStrategy{}

func (closeStrategy) name() string            { return strategyClose }
func (closeStrategy) polls() bool             { return true }
func (closeStrategy) waits() bool             { return false }
func (closeStrategy) allow(time.Time)         {}
func (closeStrategy) release(*ListenerReport) {}
