package lab

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// The variants of the server that the lab compares.
const (
	Upstream = "upstream" // examples/hello with upstream's fasthttp
	Patched  = "patched"  // examples/hello with the patched copy
	NetHTTP  = "nethttp"  // examples/nethttp, for orientation
)

// Variants lists the variants in the order in which they take turns.
func Variants() []string { return []string{Upstream, Patched, NetHTTP} }

// span is a range of durations to draw from, both ends included.
type span struct{ min, max time.Duration }

func (s span) draw() time.Duration {
	if s.max <= s.min {
		return s.min
	}
	return s.min + rand.N(s.max-s.min+1)
}

// mean is a mean of durations to draw from, exponentially distributed: whoever
// comes next is independent of when somebody came last.
type mean time.Duration

func (m mean) draw() time.Duration { return time.Duration(rand.ExpFloat64() * float64(m)) }

// scenario is one kind of load and what belongs to it.
type scenario struct {
	name string
	what string // for the help text, in half a line

	clients int
	run     func(*client, *scenario)          // one client, from its first connect to its end
	stagger time.Duration                     // over which the first requests are spread
	think   interface{ draw() time.Duration } // between a response and the next request
	handler span                              // what the handler is asked to sleep
	stop    span                              // from "all clients are under way" to SIGTERM

	tls         bool
	patchedArgs []string // more arguments for the patched server
	demoRounds  int
	named       bool // run only if it is asked for by its name
}

// scenarios is the table of them all, in the order in which they are run.
var scenarios = []scenario{
	{
		name: "keepalive", what: "100 keep-alive connections in a closed loop, think time 0 to 20 ms",
		clients: 100, run: (*client).keepalive, stagger: ms(20),
		think: span{0, ms(20)}, handler: span{0, ms(3)}, stop: span{ms(20), ms(250)},
		demoRounds: 10,
	},
	{
		name: "idle", what: "1,000 keep-alive connections, each used every 0.2 to 1.5 s",
		clients: 1000, run: (*client).keepalive, stagger: ms(300),
		think: pauses, handler: span{0, ms(3)}, stop: span{ms(300), ms(1500)},
		demoRounds: 3,
	},
	{
		name: "pool", what: "4 pools of 256 clients that reuse the last used connection first, pauses as in idle",
		clients: 4 * poolSize, run: (*client).lastUsedFirst,
		think: pauses, handler: span{0, ms(3)}, stop: span{ms(300), ms(1500)},
		demoRounds: 2,
	},
	{
		name: "silent", what: "1,000 connections that nobody uses any more: how long is a stop?",
		clients: 1000, run: (*client).hold,
		stop:       span{ms(20), ms(150)},
		demoRounds: 2,
	},
	{
		name: "pipeline", what: "20 connections, batches of 8 pipelined requests",
		clients: 20, run: (*client).pipeline, think: span{},
		handler: span{0, ms(2)}, stop: span{ms(20), ms(250)},
		demoRounds: 5,
	},
	{
		name: "connect", what: "64 clients, a new connection for each request",
		clients: 64, run: (*client).connect,
		stop:       span{ms(20), ms(250)},
		demoRounds: 5,
	},
	{
		name: "connect-tls", what: "the same over TLS",
		clients: 64, run: (*client).connect,
		stop: span{ms(20), ms(250)}, tls: true,
		demoRounds: 5,
	},
	{
		name: "greedy", what: "4 clients that ignore `Connection: close` and keep sending",
		clients: 4, run: (*client).greedy,
		handler: span{0, ms(3)}, stop: span{ms(20), ms(250)},
		demoRounds: 5,
	},
	{
		name: "slow", what: "50 connections with handlers of 0.5 to 2 s running at the stop",
		clients: 50, run: (*client).slow,
		handler: span{ms(500), ms(2000)}, stop: span{ms(50), ms(400)},
		demoRounds: 2,
	},
	{
		name: "hold", what: "100 idle connections held until FIN, no final read: how fast is the stop?",
		clients: 100, run: (*client).hold,
		stop:        span{ms(20), ms(150)},
		patchedArgs: []string{"-final-read", "-1s"},
		demoRounds:  10,
	},
	{
		name: "pool-first", what: "as pool, with pools that reuse the first used one first", named: true,
		clients: 4 * poolSize, run: (*client).firstUsedFirst,
		think: pauses, handler: span{0, ms(3)}, stop: span{ms(300), ms(1500)},
	},
	{
		name: "exponential", what: "as idle, with exponential pauses of 1 s on average", named: true,
		clients: 1000, run: (*client).keepalive, stagger: ms(300),
		think: mean(time.Second), handler: span{0, ms(3)}, stop: span{ms(300), ms(1500)},
	},
	{
		name: "poll-1s", what: "1,000 connections, each used every second", named: true,
		clients: 1000, run: (*client).keepalive, stagger: time.Second,
		think: span{time.Second, time.Second}, stop: span{0, time.Second},
	},
	{
		name: "poll-5s", what: "1,000 connections, each used every 5 s", named: true,
		clients: 1000, run: (*client).keepalive, stagger: 5 * time.Second,
		think: span{5 * time.Second, 5 * time.Second}, stop: span{0, time.Second},
	},
	{
		name: "few", what: "500 connections as in idle among 4,500 as in silent", named: true,
		clients: 5000, run: (*client).oneOfTen, stagger: ms(300),
		think: pauses, handler: span{0, ms(3)}, stop: span{ms(300), ms(1500)},
	},
	{
		name: "deaf", what: "as idle, with clients that never look for FIN", named: true,
		clients: 1000, run: (*client).deaf, stagger: ms(300),
		think: pauses, handler: span{0, ms(3)}, stop: span{ms(300), ms(1500)},
	},
}

// pauses are those of connections that are used now and then.
var pauses = span{ms(200), ms(1500)}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// ScenarioHelp lists the scenarios with what each does, a line each.
func ScenarioHelp() string {
	var b strings.Builder
	list := func(named bool) {
		for _, s := range scenarios {
			if s.named == named {
				fmt.Fprintf(&b, "  %-12s %s\n", s.name, s.what)
			}
		}
	}
	list(false)
	b.WriteString("\nOnly when asked for:\n")
	list(true)
	return b.String()
}

func scenarioNames() []string {
	names := make([]string, len(scenarios))
	for i, s := range scenarios {
		names[i] = s.name
	}
	return names
}

// choose returns those of valid that were asked for, in valid's order, and all
// of them if none was asked for.
func choose(what string, asked, valid []string) ([]string, error) {
	if len(asked) == 0 {
		return valid, nil
	}
	for _, a := range asked {
		if !slices.Contains(valid, a) {
			return nil, fmt.Errorf("unknown %s %q: choose from %s", what, a, strings.Join(valid, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(valid), func(v string) bool {
		return !slices.Contains(asked, v)
	}), nil
}

// cell is one scenario on one variant: a row of the table.
type cell struct {
	scenario *scenario
	variant  string
}

// cells returns the rows that the choice of scenarios and variants asks for,
// the rows of a scenario together.
func cells(askedScenarios, askedVariants []string) ([][]cell, error) {
	names, err := choose("scenario", askedScenarios, scenarioNames())
	if err != nil {
		return nil, err
	}
	variants, err := choose("variant", askedVariants, Variants())
	if err != nil {
		return nil, err
	}
	var groups [][]cell
	for i := range scenarios {
		s := &scenarios[i]
		if !slices.Contains(names, s.name) || s.named && len(askedScenarios) == 0 {
			continue
		}
		groups = append(groups, s.cells(variants))
	}
	return groups, nil
}

func (s *scenario) cells(variants []string) (group []cell) {
	for _, v := range variants {
		group = append(group, cell{s, v})
	}
	return group
}
