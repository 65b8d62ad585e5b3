package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// never is the pause of a client that sends nothing.
const never time.Duration = math.MaxInt64

// load is what the clients of a server do.
type load struct {
	name   string
	groups []group
	// settle is the time from the clients' start to the stop.
	settle time.Duration
}

// group is a number of clients of one kind.
type group struct {
	clients int
	// pause draws what passes between a response and the next request, or in a
	// pool between two requests. It must not be shorter than 0.
	pause func(c *client) time.Duration
	// pool is how many connections a client has, 0 for one of its own, and first
	// says that it reuses the one that is idle longest, not shortest.
	pool  int
	first bool
}

// conns is how many connections a load has.
func (l *load) conns() int {
	n := 0
	for _, g := range l.groups {
		n += g.clients * max(g.pool, 1)
	}
	return n
}

// fraction draws from [0, 1).
func fraction(random *rand.PCG) float64 {
	return float64(random.Uint64()>>11) / (1 << 53)
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second))
}

func constant(s float64) func(*client) time.Duration {
	return func(*client) time.Duration { return seconds(s) }
}

func uniform(from, to float64) func(*client) time.Duration {
	return func(c *client) time.Duration { return seconds(from + (to-from)*fraction(&c.random)) }
}

func exponential(mean float64) func(*client) time.Duration {
	return func(c *client) time.Duration { return seconds(-mean * math.Log(1-fraction(&c.random))) }
}

// pareto has many short pauses and a few very long ones: for 1.2 the variance is
// infinite.
func pareto(shortest, exponent float64) func(*client) time.Duration {
	return func(c *client) time.Duration {
		return seconds(min(shortest*math.Pow(1-fraction(&c.random), -1/exponent), 1e6))
	}
}

// bursts are those of a person or a batch: some requests, then a long pause.
func bursts(of int, within, between func(*client) time.Duration) func(*client) time.Duration {
	return func(c *client) time.Duration {
		if c.turn++; c.turn%of == 0 {
			return between(c)
		}
		return within(c)
	}
}

func silent(*client) time.Duration { return never }

func single(n int, pause func(*client) time.Duration) group {
	return group{clients: n, pause: pause}
}

// loads are the rows of the table.
func loads() []load {
	all := []load{
		{"pauses of 0.2 to 1.5 s", []group{single(1000, uniform(0.2, 1.5))}, 10 * time.Second},
	}
	for _, mean := range []float64{0.05, 0.3, 1, 3, 10, 60} {
		all = append(all, load{fmt.Sprintf("exponential, mean %g s", mean), []group{single(1000, exponential(mean))}, seconds(1 + 5*mean)})
	}
	all = append(all,
		load{"bursts of 6, then 5 to 30 s", []group{single(1000, bursts(6, uniform(0.05, 0.2), uniform(5, 30)))}, 60 * time.Second},
		load{"Pareto 1.2 from 0.2 s", []group{single(1000, pareto(0.2, 1.2))}, 60 * time.Second},
	)
	for _, every := range []float64{1, 5, 15} {
		all = append(all, load{fmt.Sprintf("polls every %g s", every), []group{single(1000, constant(every))}, seconds(2 * every)})
	}
	for _, first := range []bool{false, true} {
		order := "LIFO"
		if first {
			order = "FIFO"
		}
		for _, rate := range []float64{5, 50} {
			all = append(all, load{
				fmt.Sprintf("16 pools of 64, %s, %g/s", order, rate),
				[]group{{clients: 16, pause: exponential(1 / rate), pool: 64, first: first}},
				5 * time.Second,
			})
		}
	}
	return append(all,
		load{"never used", []group{single(1000, silent)}, 0},
		load{"10 only, mean 1 s", []group{single(10, exponential(1))}, 6 * time.Second},
		load{"500 of 0.2 to 1.5 s, 9,500 silent", []group{single(500, uniform(0.2, 1.5)), single(9500, silent)}, 10 * time.Second},
		load{"1 chatty, 9,999 silent", []group{single(1, constant(0.005)), single(9999, silent)}, time.Second},
	)
}
