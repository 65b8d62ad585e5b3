package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/valyala/fasthttp/internal/window"
)

// service is the time from a request's arrival to its response.
const service = 2 * time.Millisecond

// conn is a connection. Each end knows of the other what has reached it.
type conn struct {
	client int32

	waiting  bool // for a request, at the server
	closed   bool // the server has sent its FIN
	late     bool // its request began after the stop: the response says close
	used     bool
	saysEnd  bool // so does the response on its way
	leftPool bool // the client has seen the FIN, or that response
}

// client uses connections: one of its own with a pause after each response, or
// a pool of several from which it takes an idle one for each request, whenever
// that comes.
type client struct {
	random rand.PCG
	group  *group
	conn   int32 // its own
	idle   []int32
	turn   int // how many pauses it has made
}

// network is a server with its clients. All that it does follows from the load,
// the round trip and the seed.
type network struct {
	queue

	half    time.Duration // of a round trip
	now     time.Duration
	clients []client
	conns   []conn
	order   []int32 // in which the drain closes

	waiting, uses, open int
	lost                int

	window *window.Window
	stopAt time.Duration
	reason window.Reason
	ended  time.Duration // when the last connection had closed
}

// newNetwork connects the clients of a load. They have idle connections only,
// and begin somewhere between two requests.
func newNetwork(l *load, rtt time.Duration, random *rand.Rand) *network {
	n := &network{half: rtt / 2}
	for g := range l.groups {
		group := &l.groups[g]
		for range group.clients {
			id := int32(len(n.clients))
			c := client{random: *rand.NewPCG(random.Uint64(), random.Uint64()), group: group}
			c.conn = int32(len(n.conns))
			for range max(group.pool, 1) {
				if group.pool > 0 {
					c.idle = append(c.idle, int32(len(n.conns)))
				}
				n.conns = append(n.conns, conn{client: id, waiting: true})
			}
			if pause := group.pause(&c); pause != never {
				if group.pool == 0 {
					pause += rtt + service // anywhere on its way round
				}
				n.add(time.Duration(float64(pause)*fraction(&c.random)), send, id)
			}
			n.clients = append(n.clients, c)
		}
	}
	n.open, n.waiting = len(n.conns), len(n.conns)
	for _, i := range random.Perm(len(n.conns)) {
		n.order = append(n.order, int32(i))
	}
	return n
}

// clone returns a network that goes on as this one would.
func (n *network) clone() *network {
	m := *n
	m.events = slices.Clone(n.events)
	m.conns = slices.Clone(n.conns)
	m.clients = slices.Clone(n.clients)
	for i := range m.clients {
		m.clients[i].idle = slices.Clone(m.clients[i].idle)
	}
	return &m
}

// runUntil lets everything before a time happen.
func (n *network) runUntil(end time.Duration) {
	for len(n.events) > 0 && n.events[0].at < end {
		n.step(n.next())
	}
	n.now = end
}

// stop stops the server, and returns when all its connections have closed and
// nothing is on its way.
func (n *network) stop(w *window.Window) {
	n.window, n.stopAt, n.ended = w, n.now, n.now
	n.add(n.now, look, 0)
	// A request that is lost was sent before the FIN reached its client, so
	// nothing is lost that is not there by the time the last FIN has come back.
	for len(n.events) > 0 && (n.open > 0 || n.events[0].at <= n.ended) {
		n.step(n.next())
	}
	if n.reason == window.Open {
		n.reason = window.Empty // the last one closed between two looks
	}
}

func (n *network) stopped() bool { return n.window != nil }

func (n *network) step(e event) {
	n.now = e.at
	switch e.kind {
	case send:
		n.send(e.of)
	case arrive:
		n.arrive(e.of)
	case answer:
		n.answer(e.of)
	case receive:
		n.receive(e.of)
	case closing:
		if n.conns[e.of].waiting {
			n.close(e.of)
			n.add(n.now+n.half, fin, e.of)
		}
	case fin:
		n.leave(e.of)
	case look:
		n.look()
	}
}

func (n *network) send(id int32) {
	c := &n.clients[id]
	chosen := c.conn
	if c.group.pool > 0 {
		n.add(n.now+c.group.pause(c), send, id)
		last := len(c.idle) - 1
		switch {
		case last < 0:
			return // it connects to another server
		case c.group.first:
			chosen, c.idle = c.idle[0], c.idle[1:]
		default:
			chosen, c.idle = c.idle[last], c.idle[:last]
		}
	}
	if !n.conns[chosen].leftPool {
		n.add(n.now+n.half, arrive, chosen)
	}
}

func (n *network) arrive(id int32) {
	c := &n.conns[id]
	if c.closed {
		n.lost++
		return
	}
	c.waiting = false
	n.waiting--
	if n.stopped() {
		c.late = true
		if !c.used {
			c.used = true
			n.uses++
		}
	}
	n.add(n.now+service, answer, id)
}

func (n *network) answer(id int32) {
	c := &n.conns[id]
	if c.late || n.reason != window.Open {
		c.saysEnd = true
		n.close(id)
	} else {
		c.waiting = true
		n.waiting++
	}
	n.add(n.now+n.half, receive, id)
}

// receive puts a connection back into the pool, at its end.
func (n *network) receive(id int32) {
	if n.conns[id].saysEnd {
		n.leave(id)
		return
	}
	c := &n.clients[n.conns[id].client]
	if c.group.pool > 0 {
		c.idle = append(c.idle, id)
	} else {
		n.add(n.now+c.group.pause(c), send, n.conns[id].client)
	}
}

// close half-closes a connection. The client closes its end when it learns of
// it, so it takes one more round trip until it is gone.
func (n *network) close(id int32) {
	c := &n.conns[id]
	if c.waiting {
		c.waiting = false
		n.waiting--
	}
	c.closed = true
	n.open--
	n.ended = max(n.ended, n.now+2*n.half)
}

// leave is a client's that has learned of a close.
func (n *network) leave(id int32) {
	n.conns[id].leftPool = true
	c := &n.clients[n.conns[id].client]
	if i := slices.Index(c.idle, id); i >= 0 {
		c.idle = slices.Delete(c.idle, i, i+1)
	}
}

func (n *network) look() {
	seen := window.Look{Elapsed: n.now - n.stopAt, Left: window.Unlimited, Uses: n.uses, Waiting: n.waiting}
	reason, wait := n.window.Look(seen)
	if reason == window.Open {
		n.add(n.now+wait, look, 0)
		return
	}
	n.reason = reason
	pace, due := n.window.Pace(n.waiting, window.Unlimited), n.now
	for _, id := range n.order {
		if n.conns[id].waiting {
			n.add(due, closing, id)
			due += pace
		}
	}
}
