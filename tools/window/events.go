package main

import "time"

// kind is what happens in an event.
type kind uint8

const (
	send    kind = iota // a client begins a request
	arrive              // a request reaches the server
	answer              // the server writes a response
	receive             // a response reaches the client
	closing             // the server closes a connection
	fin                 // its FIN reaches the client
	look                // the drain looks at its connections
)

// event happens to a connection, or if it is a send to a client.
type event struct {
	at   time.Duration
	seq  int64 // in the order of their making, so that a run can be repeated
	kind kind
	of   int32
}

// queue is a heap of events. The standard library's would allocate each of them.
type queue struct {
	events []event
	made   int64
}

func (q *queue) before(i, j int) bool {
	a, b := &q.events[i], &q.events[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (q *queue) add(at time.Duration, k kind, of int32) {
	q.made++
	q.events = append(q.events, event{at, q.made, k, of})
	for i := len(q.events) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.before(i, up) {
			return
		}
		q.events[i], q.events[up] = q.events[up], q.events[i]
		i = up
	}
}

// next takes out the event that comes first. There has to be one.
func (q *queue) next() event {
	first := q.events[0]
	last := len(q.events) - 1
	q.events[0] = q.events[last]
	q.events = q.events[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return first
		}
		if down+1 < last && q.before(down+1, down) {
			down++
		}
		if !q.before(down, i) {
			return first
		}
		q.events[i], q.events[down] = q.events[down], q.events[i]
		i = down
	}
}
