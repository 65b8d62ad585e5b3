package probe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/internal/pool"
)

// Kind is a kind of clients.
type Kind string

// The kinds of clients.
const (
	Busy     Kind = "busy"     // a connection each, kept and used all the time
	Pool     Kind = "pool"     // pools of connections with rare requests, the last used one first
	New      Kind = "new"      // a new connection for each request, which says `Connection: close`
	Pipeline Kind = "pipeline" // a kept connection, batches of requests in one write
	Slow     Kind = "slow"     // a kept connection, requests for a path that takes its time
)

// Kinds are all kinds, in the order of the reports.
func Kinds() []Kind { return []Kind{Busy, Pool, New, Pipeline, Slow} }

// share is the part of the connections, and of the requests, that a kind gets.
var share = map[Kind]struct{ connections, requests float64 }{
	Busy: {6, 16}, Pool: {5, 1}, New: {1, 3}, Pipeline: {1, 4}, Slow: {1, 1},
}

const (
	// batch is how many requests a pipelining client writes at once.
	batch = 8
	// poolSize is how many clients share a pool at most.
	poolSize = 256
	// poolPause is the mean time between two requests of a client of a pool: a pause of
	// 0.2 to 1.5 s, as in the lab.
	poolPause = 850 * time.Millisecond
)

// group is the clients of one kind.
type group struct {
	kind     Kind
	clients  int
	interval time.Duration // the mean, from the begin of a request, or batch, to the next
}

// Profile says which clients there are.
type Profile struct {
	Kinds       []Kind
	Connections int     // at a time, of all clients; each kind has at least one
	Rate        float64 // requests a second, of all clients, at most
}

// The bounds of a profile.
const (
	ConnectionsAtMost = 5000
	RateAtMost        = 50000
)

func (p Profile) groups() ([]group, error) {
	switch {
	case len(p.Kinds) == 0:
		return nil, errors.New("no clients")
	case p.Connections < len(p.Kinds) || p.Connections > ConnectionsAtMost:
		return nil, fmt.Errorf("%d connections: it has to be %d to %d", p.Connections, len(p.Kinds), ConnectionsAtMost)
	case !(p.Rate > 0 && p.Rate <= RateAtMost):
		return nil, fmt.Errorf("a rate of %v: it has to be above 0 and at most %d requests a second", p.Rate, RateAtMost)
	}
	var connections, requests float64
	for i, k := range p.Kinds {
		if _, ok := share[k]; !ok {
			return nil, fmt.Errorf("unknown kind of clients %q: choose from %s", k, kindNames())
		}
		if slices.Contains(p.Kinds[:i], k) {
			return nil, fmt.Errorf("%s is there twice", k)
		}
		connections += share[k].connections
		requests += share[k].requests
	}
	var groups []group
	for _, k := range Kinds() {
		if !slices.Contains(p.Kinds, k) {
			continue
		}
		g := group{kind: k, clients: 1 + int(float64(p.Connections-len(p.Kinds))*share[k].connections/connections)}
		g.interval = time.Duration(float64(g.clients) / (p.Rate * share[k].requests / requests) * float64(time.Second))
		switch k {
		case Pool:
			g.interval = max(g.interval, poolPause)
		case Pipeline:
			g.interval *= batch
		}
		groups = append(groups, g)
	}
	return groups, nil
}

func kindNames() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// load is what the clients of a round share.
type load struct {
	*recorder
	target   atomic.Pointer[target]
	requests []*prepared
	slow     *prepared
	expect   string
	timeout  time.Duration

	over context.Context // ends when no further request is to be sent
	cut  context.Context // ends when what is under way is given up

	endOver, endCut context.CancelFunc
	running         sync.WaitGroup
	pools           []*pool.Pool[connection]
}

// patience is how long the requests under way may take when the load ends.
const patience = 3 * time.Second

// start starts the clients. End them with finish.
func (l *load) start(ctx context.Context, groups []group) {
	l.over, l.endOver = context.WithCancel(ctx)
	l.cut, l.endCut = context.WithCancel(context.WithoutCancel(ctx))
	for _, g := range groups {
		for i := range g.clients {
			c := &client{load: l, kind: g.kind, interval: g.interval}
			if g.kind == Pool {
				if i%poolSize == 0 {
					l.pools = append(l.pools, new(pool.Pool[connection]))
				}
				c.pool = l.pools[len(l.pools)-1]
			}
			l.running.Go(c.run)
		}
	}
}

// finish ends the clients: those with a request under way get some time for it.
func (l *load) finish() {
	l.endOver()
	timer := time.AfterFunc(patience, l.endCut)
	defer timer.Stop()
	l.running.Wait()
	l.endCut()
	for _, p := range l.pools {
		p.Clear(func(c connection) { c.drop() })
	}
}

// pause waits for d, and reports false if the load was over before.
func (l *load) pause(d time.Duration) bool {
	if d <= 0 {
		return l.over.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.over.Done():
		return false
	}
}

// ours names an error of connecting that is the probe's own trouble, or is empty.
func ours(err error) string {
	for _, e := range []error{syscall.EADDRNOTAVAIL, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS} {
		if errors.Is(err, e) {
			return "connecting: " + e.Error()
		}
	}
	return ""
}

// about draws a time round a mean: half of it to one and a half.
func about(mean time.Duration) time.Duration {
	return mean/2 + rand.N(mean+1)
}
