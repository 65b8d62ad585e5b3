package lab

import (
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"syscall"
)

// tally is what one client, or all clients of some rounds together, have counted.
type tally struct {
	connections int // opened: the TCP handshake succeeded
	requests    int // written, or meant for a connection that was cut before it could be
	answered    int // complete responses received
	lost        int // requests written on an established connection and not answered
	refused     int // connection attempts refused

	losses   counter // what the losses looked like
	problems counter // what a server must not do at all, such as a wrong answer
	faults   counter // what makes the counts doubtful: losses before the stop, no local ports left
}

func (t *tally) add(u *tally) {
	t.connections += u.connections
	t.requests += u.requests
	t.answered += u.answered
	t.lost += u.lost
	t.refused += u.refused
	t.losses.add(u.losses)
	t.problems.add(u.problems)
	t.faults.add(u.faults)
}

// counter counts descriptions. Its zero value is ready for use.
type counter map[string]int

func (c *counter) count(what string, n int) {
	if *c == nil {
		*c = counter{}
	}
	(*c)[what] += n
}

func (c *counter) add(d counter) {
	for what, n := range d {
		c.count(what, n)
	}
}

// byCount returns the descriptions, the most frequent first.
func (c counter) byCount() []string {
	return slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		if c[a] != c[b] {
			return c[b] - c[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
}

// symptom names what an error on a connection looks like from the client's
// side, without addresses, so that equal symptoms count as one.
func symptom(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, syscall.EPIPE):
		return "broken pipe"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "cut in the middle of it"
	case errors.Is(err, io.EOF):
		return "closed without one"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in " + patience.String()
	default:
		return err.Error()
	}
}
