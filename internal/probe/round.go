package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

const (
	// The stop comes at a random moment of this time after the first answer, so that
	// in the sum of the rounds it hits everything that a connection can be doing.
	earliest, latest = 800 * time.Millisecond, 1600 * time.Millisecond
	// afterwards is how long the load goes on when the next process listens, and
	// afterCommand when the command has ended.
	afterwards   = 500 * time.Millisecond
	afterCommand = 2 * time.Second
	// quietGrace bounds a stop at which nobody looks, of the last process.
	quietGrace = 5 * time.Second
)

// place is a subject with what belongs to its rounds.
type place struct {
	Subject
	known   *target // where the URL says; nil if the service is to be found by its sockets
	path    string  // of the URL
	running *service
	target  *target
	checked bool
	result  *Result
}

func newPlace(ctx context.Context, s Subject, o *Options) (*place, error) {
	p := &place{Subject: s, result: newResult(s, o)}
	if s.URL == "" {
		return p, nil
	}
	var err error
	if p.known, p.path, err = parseTarget(s.URL, o.TLS); err != nil {
		return nil, err
	}
	if !o.Yes {
		if err := p.known.near(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// prepare makes the load of a round on the target.
func (p *place) prepare(o *Options) (*load, error) {
	l := &load{recorder: newRecorder(), expect: o.Expect, timeout: o.Timeout}
	l.target.Store(p.target)
	requests := o.Requests
	if len(requests) == 0 {
		requests = []Request{{}}
	}
	for _, q := range requests {
		q.Path = cmp.Or(q.Path, p.path)
		ready, err := q.prepare(p.target.host)
		if err != nil {
			return nil, err
		}
		l.requests = append(l.requests, ready)
	}
	if o.SlowPath != "" {
		q := requests[0]
		q.Method, q.Path, q.Body = "", o.SlowPath, ""
		var err error
		if l.slow, err = q.prepare(p.target.host); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// launch starts the service and waits until it listens.
func (p *place) launch(ctx context.Context, o *Options) error {
	// Who is slow to accept would be loaded in the place of the service, too.
	if p.known != nil && p.known.listens(ctx, checkTimeout) {
		left := ""
		if p.result.Stops > 0 || p.target != nil {
			left = "; it may be a process that the service has started in a group of its own, and left behind"
		}
		return fmt.Errorf("something listens on %s already: end it first, or the probe would load it instead of %s%s", p.known.addr, p.Command[0], left)
	}
	s, err := startService(p.Command)
	if err != nil {
		return err
	}
	t, err := s.await(ctx, p.known, findTarget, o.Start)
	if err != nil {
		s.kill()
		return err
	}
	p.running, p.target = s, t
	return nil
}

// begin checks the target, the first time, and starts the load.
func (p *place) begin(ctx context.Context, o *Options, say func(string, ...any)) (*load, error) {
	l, err := p.prepare(o)
	if err != nil {
		return nil, err
	}
	if !p.checked {
		all := l.requests
		if l.slow != nil {
			all = append(all[:len(all):len(all)], l.slow)
		}
		notes, sent, err := check(ctx, p.target, all, o.Expect)
		p.result.Checks += sent
		if err != nil {
			var op *net.OpError
			if errors.As(err, &op) && op.Op == "dial" && p.running == nil {
				err = fmt.Errorf("nobody answers there before anything is stopped: %w", err)
			}
			return nil, err
		}
		p.result.Notes = append(p.result.Notes, notes...)
		p.checked = true
	}
	groups, err := o.Profile.groups()
	if err != nil {
		return nil, err
	}
	l.begin = time.Now()
	l.start(ctx, groups)
	return l, nil
}

// settle waits for the first answer, and then for d. It is an error if the service ends
// meanwhile, or if nothing is answered.
func (p *place) settle(ctx context.Context, l *load, d time.Duration) error {
	var exited chan struct{}
	if p.running != nil {
		exited = p.running.exited
	}
	bound := time.NewTimer(l.timeout + checkTimeout)
	defer bound.Stop()
	moment, first := (<-chan time.Time)(nil), l.first
	for {
		select {
		case <-first:
			timer := time.NewTimer(d)
			defer timer.Stop()
			moment, first = timer.C, nil
		case <-moment:
			return nil
		case <-bound.C:
			if first != nil {
				return fmt.Errorf("%s has answered nothing of %d requests under the load, before any stop", p.target.addr, l.sum().Requests)
			}
		case <-exited:
			return fmt.Errorf("%s ended by itself under the load, before any signal: %s%s", p.running.name, p.running.exit(), p.running.said())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// moment draws when a stop comes.
func moment() time.Duration { return earliest + rand.N(latest-earliest) }

// stopRound loads the service, stops it, starts it anew, and counts. If ctx ends, what
// was seen so far counts. Keep leaves the next process for the next round.
func (p *place) stopRound(ctx context.Context, o *Options, keep bool, pr *progress) error {
	if p.running == nil {
		if err := p.launch(ctx, o); err != nil {
			return err
		}
		pr.say("%s listens on %s after %s", p.running.name, p.target.addr, short(time.Since(p.running.began)))
	}
	l, err := p.begin(ctx, o, pr.say)
	if err != nil {
		p.end()
		return err
	}
	pr.watch(l)
	defer pr.unwatch()
	stopped, err := p.stopUnderLoad(ctx, o, l)
	l.finish()
	if stopped != nil || ctx.Err() != nil {
		p.result.add(l.recorder, stopped)
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil || !keep {
		p.quietStop(o, err != nil)
	}
	return err
}

// stopUnderLoad is the part of a round in which the load runs. It returns the service
// that was stopped, if it was.
func (p *place) stopUnderLoad(ctx context.Context, o *Options, l *load) (*service, error) {
	if err := p.settle(ctx, l, moment()); err != nil {
		return nil, err
	}
	old := p.running
	if p.known == nil {
		// It may have opened a second port meanwhile: which of them was the first is no
		// reason to load it.
		if _, err := findTarget(old.cmd.Process.Pid); err != nil {
			return nil, err
		}
	}
	l.setMark()
	if err := old.stop(ctx, o.Signal, o.Grace); err != nil {
		return nil, err
	}
	p.running = nil
	l.setEnd(old.ended)
	if err := p.launch(ctx, o); err != nil {
		return old, fmt.Errorf("the start after the stop: %w", err)
	}
	l.target.Store(p.target)
	l.pause(afterwards)
	return old, nil
}

// quietStop stops the process that runs, without load. It gets less time if something
// has gone wrong, or if it has been killed before.
func (p *place) quietStop(o *Options, wrong bool) {
	if p.running == nil {
		return
	}
	grace := min(o.Grace, quietGrace)
	if wrong || p.result.Exits["killed"] > 0 {
		grace = min(grace, time.Second)
	}
	p.running.stop(context.Background(), o.Signal, grace)
	p.running = nil
}

// end ends the process that runs at once.
func (p *place) end() {
	if p.running != nil {
		p.running.kill()
		p.running = nil
	}
}

// commandRound loads the URL while the command runs, and some time after it.
func (p *place) commandRound(ctx context.Context, o *Options, pr *progress) error {
	p.target = p.known
	l, err := p.begin(ctx, o, pr.say)
	if err != nil {
		return err
	}
	pr.watch(l)
	defer pr.unwatch()
	var command, ended *service
	err = p.settle(ctx, l, moment())
	if err == nil {
		l.setMark()
		command, err = startService(Shell(o.During), ForURL+"="+p.URL)
	}
	if err == nil {
		select {
		case <-command.exited:
			ended = command
			l.setEnd(command.ended)
			l.pause(afterCommand)
		case <-ctx.Done():
		}
	}
	l.finish()
	if command != nil || ctx.Err() != nil {
		p.result.add(l.recorder, ended)
	}
	switch {
	case ended == nil && command != nil:
		command.kill() // not before the clients have ended: it may be what answers
	case ended != nil && ended.cmd.ProcessState.ExitCode() != 0:
		err = fmt.Errorf("the command failed: %s%s", ended.exit(), ended.said())
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}

// timeRound loads the URL for a time.
func (p *place) timeRound(ctx context.Context, o *Options, pr *progress) error {
	p.target = p.known
	l, err := p.begin(ctx, o, pr.say)
	if err != nil {
		return err
	}
	pr.watch(l)
	defer pr.unwatch()
	err = p.settle(ctx, l, 0)
	if err == nil {
		l.setMark()
		l.pause(o.For)
	}
	l.finish()
	if err == nil || ctx.Err() != nil {
		p.result.add(l.recorder, nil)
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}
