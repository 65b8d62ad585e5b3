//go:build linux

package window

import (
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/tests/internal/link"
	"github.com/fastdrain/fastdrain/tests/internal/proxy"
)

// load is one kind of clients, and what the patched server has to show with it.
type load struct {
	name string
	what string

	scenario string                                  // of the lab; or
	clients  func(env *environment, l load) lab.Load // clients of others
	loopback bool                                    // not over the link
	pool     bool                                    // stop it as often as -pool-stops says

	limit limit
}

// noLimit is for loads in which HTTP/1.1 leaves nothing else to do but to lose
// some; not more than upstream does.
const noLimit = -1

// limit is what the patched server may do. Whatever the load, no stop may take
// longer than longest, and none may lose significantly more than upstream.
type limit struct {
	// lost is how many requests may be lost of 1,000 of the measure, or noLimit.
	lost float64
	of   measure
	// median is how long half of the stops may take; 0 is no limit.
	median time.Duration
	// control says that upstream has to lose some: without, a 0 says nothing.
	control bool
}

type measure int

const (
	connections measure = iota
	requests
)

// longest is how long a stop may take with the default settings: 3 s of waiting,
// 200 ms in which the connections that still wait are closed, and the linger.
const longest = 3*time.Second + 200*time.Millisecond + 500*time.Millisecond

// The pools of others: as many clients as connections, so that a pool is full when
// the clients have begun all at once. There is one: where a process learns of the
// ends of a thousand connections at once it is busy with that for some round trips,
// and what it loses meanwhile is not the server's.
const (
	poolSize = 256
	// behindProxy is how many clients a proxy has. It keeps 64 connections.
	behindProxy = 128
	kept        = 64
)

var loads = []load{
	{name: "busy", what: "100 connections, pauses up to 20 ms", scenario: "keepalive",
		limit: limit{lost: 0, median: 600 * time.Millisecond, control: true}},
	{name: "uniform", what: "1,000 connections, pauses of 0.2 to 1.5 s", scenario: "idle",
		limit: limit{lost: 0, median: 1800 * time.Millisecond, control: true}},
	{name: "exponential", what: "1,000 connections, exponential pauses of 1 s on average", scenario: "exponential",
		limit: limit{lost: 1.5, control: true}},
	{name: "poll-1s", what: "1,000 connections, each used every second", scenario: "poll-1s",
		limit: limit{lost: noLimit, control: true}},
	{name: "poll-5s", what: "1,000 connections, each used every 5 s", scenario: "poll-5s",
		limit: limit{lost: noLimit}},
	{name: "silent", what: "1,000 connections, not used any more", scenario: "silent",
		limit: limit{lost: 0, median: 700 * time.Millisecond}},
	{name: "few", what: "500 connections as in uniform among 4,500 as in silent", scenario: "few",
		limit: limit{lost: 0, control: true}},
	{name: "deaf", what: "as uniform, clients that never look for FIN", scenario: "deaf",
		limit: limit{lost: 2, of: requests, control: true}},
	{name: "last-used", what: "4 pools of 256 that reuse the last used connection first", scenario: "pool",
		limit: limit{lost: 0, control: true}},
	{name: "first-used", what: "4 pools of 256 that reuse the first used connection first", scenario: "pool-first",
		limit: limit{lost: 0, control: true}},
	{name: "go", what: "Go's http.Transport, 256 connections", pool: true, clients: transport,
		limit: limit{lost: 0, control: true}},
	{name: "node", what: "Node's http.Agent, 256 connections", pool: true, clients: agent,
		limit: limit{lost: 0, control: true}},
	{name: "nginx", what: "nginx, keepalive 64, POST, no retries; 128 clients", clients: behind(proxy.Nginx, ""),
		limit: limit{lost: 0, of: requests, control: true}},
	{name: "haproxy-safe", what: "HAProxy, http-reuse safe, POST, no retries; 128 clients", clients: behind(proxy.HAProxy, "safe"),
		limit: limit{lost: 0, of: requests, control: true}},
	{name: "haproxy-always", what: "HAProxy, http-reuse always, POST, no retries; 128 clients", clients: behind(proxy.HAProxy, "always"),
		limit: limit{lost: 0, of: requests, control: true}},
	{name: "python", what: "200 of Python's http.client, which never looks for FIN; loopback", clients: threads, loopback: true,
		limit: limit{lost: 2, of: requests, control: true}},
}

// environment is where servers and clients of a load are.
type environment struct {
	link *link.Link // nil: loopback
	say  func(format string, args ...any)

	// stopped is when the last server was told to stop. It is set before SIGTERM
	// and read when the process has exited.
	stopped time.Time
}
