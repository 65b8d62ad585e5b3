package lab

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
)

// Bounds of a round. They are far above what a sound server needs; the example
// servers give up on a shutdown after 30 s by themselves.
const (
	underWayBound = 60 * time.Second
	exitBound     = 45 * time.Second
)

// round is what one stop of one server has shown.
type round struct {
	tally
	executed      int // requests whose handler ran, as the server says
	executedKnown bool
	unfinished    int           // handshakes at the close of the listener, as the server says
	late          int           // connections with bytes after the last look, as the server says
	shutdown      time.Duration // SIGTERM to the exit of the process
	exit          string
	stderr        string // what the server said last, if it did not exit well
}

// runner runs rounds. Its fields are what tests shorten.
type runner struct {
	exitBound time.Duration
	dial      func(d *net.Dialer, network, addr string) (net.Conn, error) // nil: as ever

	stopping, stopped func() // may be nil
}

// run starts the server and the clients of the scenario, waits until all of them
// are under way, stops the server at a random moment, and counts. An error means
// that there was no round to count; a bad server is not an error but a bad count.
func (r runner) run(ctx context.Context, server process.Command, s *scenario) (*round, error) {
	if s.tls {
		server.Args = append([]string{"-tls"}, server.Args...)
	}
	proc, err := process.Start(ctx, server)
	if err != nil {
		return nil, err
	}
	defer proc.Kill()

	over, end := context.WithCancel(ctx)
	defer end()
	yard := newYard(over, proc.Addr, s.clients)
	if r.dial != nil {
		yard.dial = r.dial
	}
	var secure *tls.Config
	if s.tls {
		// The certificate is made at the server's start and trusted by nobody;
		// this is about connections and not about identity.
		secure = &tls.Config{InsecureSkipVerify: true}
	}
	clients := make([]*client, s.clients)
	var running sync.WaitGroup
	var gone sync.Once
	clientGone := make(chan struct{}) // closed when one ends that never got under way
	for i := range clients {
		c := &client{yard: yard, id: i, tls: secure}
		clients[i] = c
		running.Go(func() {
			s.run(c, s)
			if !c.started {
				gone.Do(func() { close(clientGone) })
			}
		})
	}
	allEnded := make(chan struct{})
	go func() {
		running.Wait()
		close(allEnded)
	}()

	// join ends the clients and adds up what they have counted.
	join := func() *tally {
		end()
		<-allEnded
		var sum tally
		for _, c := range clients {
			sum.add(&c.tally)
		}
		return &sum
	}
	giveUp := func(why string) error {
		proc.Kill()
		sum := join()
		if ctx.Err() != nil {
			return context.Cause(ctx) // which ends the clients and the server, too
		}
		return fmt.Errorf("before the stop: %s (%d of %d clients were under way)%s%s",
			why, int64(s.clients)-yard.waiting.Load(), s.clients, sum.faults.list(), proc.Stderr())
	}

	bound := time.NewTimer(underWayBound)
	defer bound.Stop()
	select {
	case <-yard.underWay:
	case <-proc.Exited():
		return nil, giveUp("the server ended by itself")
	case <-clientGone:
		return nil, giveUp("a client ended that had not got an answer yet")
	case <-bound.C:
		return nil, giveUp(fmt.Sprintf("the clients have not got under way in %v", underWayBound))
	case <-ctx.Done():
		proc.Kill()
		join()
		return nil, context.Cause(ctx)
	}

	// The moment of the stop is random, so that in the sum of many rounds it
	// hits everything that a connection can be doing.
	moment := time.NewTimer(s.stop.draw())
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-proc.Exited():
		return nil, giveUp("the server ended by itself")
	case <-ctx.Done():
		proc.Kill()
		join()
		return nil, context.Cause(ctx)
	}

	close(yard.stopping)
	if r.stopping != nil {
		r.stopping()
	}
	shutdown, err := proc.Stop(r.exitBound)
	sum := join()
	if r.stopped != nil {
		r.stopped()
	}
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}

	res := &round{tally: *sum, shutdown: shutdown, exit: proc.Exit()}
	if res.exit != process.ExitClean {
		res.stderr = proc.Stderr()
	}
	res.executed, res.executedKnown = proc.Executed()
	res.late, _ = proc.Late()
	res.unfinished, _ = proc.Unfinished()
	switch {
	case !res.executedKnown && res.exit != process.ExitKilled:
		res.problems.count("the server did not say how many requests it executed", 1)
	case res.executedKnown && res.executed < res.answered:
		res.faults.count("more responses were received than requests executed", 1)
	}
	return res, nil
}

// list returns the descriptions as an appendix to an error message.
func (c counter) list() string {
	var text string
	for _, what := range c.byCount() {
		text += fmt.Sprintf("\n  %d x %s", c[what], what)
	}
	return text
}
