package main

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/valyala/fasthttp/internal/window"
)

// policy is a setting of Drain.FinalRead.
type policy struct {
	name      string
	finalRead time.Duration
}

var policies = []policy{
	{"rule", 0},
	{"at once", -1},
	{"0.5 s", 500 * time.Millisecond},
	{"1 s", time.Second},
	{"2 s", 2 * time.Second},
	{"3 s", 3 * time.Second},
	{"5 s", 5 * time.Second},
}

// cell is what stops of one load with one policy have shown.
type cell struct {
	lost    sample // of 1,000 connections
	took    sample // seconds
	reasons map[window.Reason]int
}

// sample are values of independent stops.
type sample struct {
	n            int
	sum, squares float64
}

func (s *sample) add(v float64) {
	s.n++
	s.sum += v
	s.squares += v * v
}

func (s sample) mean() float64 { return s.sum / float64(s.n) }

// err is the standard error of the mean.
func (s sample) err() float64 {
	if s.n < 2 {
		return math.Inf(1)
	}
	n := float64(s.n)
	return math.Sqrt(max(0, s.squares-s.sum*s.sum/n) / (n - 1) / n)
}

// measure stops a load's server again and again, each time with every policy:
// what the clients would do is the same for all of them.
func measure(ctx context.Context, l *load, rtt time.Duration, stops int, seed uint64) ([]cell, error) {
	cells := make([]cell, len(policies))
	for i := range cells {
		cells[i].reasons = map[window.Reason]int{}
	}
	perThousand := 1000 / float64(l.conns())
	for i := range stops {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		running := newNetwork(l, rtt, random)
		running.runUntil(l.settle + time.Duration(random.Int64N(int64(time.Second))))
		for p := range policies {
			n := running.clone()
			n.stop(window.New(policies[p].finalRead))
			cells[p].lost.add(float64(n.lost) * perThousand)
			cells[p].took.add((n.ended - n.stopAt).Seconds())
			cells[p].reasons[n.reason]++
		}
	}
	return cells, nil
}

// stopsOf is how often a load is stopped: small ones so often that they come to
// as many connections as those of a thousand.
func stopsOf(l *load, stops int) int {
	return stops * max(1, 1000/l.conns())
}
