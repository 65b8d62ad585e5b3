package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/fastdrain/fastdrain/bench/internal/process"
	"github.com/fastdrain/fastdrain/bench/internal/wrk"
)

// turn is how long a server and its clients run before the next take their turn. The
// machine has slow moments, of which most are longer: they hit all that are compared.
// With turns of a second the ratio of two equal servers varied by a tenth from round to
// round on the machine of RESULTS.md, with these by a fiftieth; with shorter ones by more
// again.
const turn = 20 * time.Millisecond

// pair is a server and its clients, which run and pause together. The clients start in
// their first turn: a pause before wrk's clock runs would be taken from what it measured.
type pair struct {
	server *process.Server
	start  func() (*wrk.Running, error)
	wrk    *wrk.Running
	cpu    float64 // of the server before the load
	pauses []pause
	since  time.Time // of the pause, or the last one
}

// pause is one of a pair.
type pause struct{ from, to time.Time }

// within is how much of the pause is between two times.
func (p pause) within(from, to time.Time) time.Duration {
	if p.from.After(from) {
		from = p.from
	}
	if p.to.Before(to) {
		to = p.to
	}
	return max(0, to.Sub(from))
}

// inTurns loads servers at the same time, of which one runs at a time, for b.wrkTime
// each. Who is before whom depends on the number of the round.
func (b *bench) inTurns(ctx context.Context, servers [ofControl + 1][]string, clients []string, o overSockets, round int) (all [ofControl + 1]*loaded, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 20*time.Duration(len(servers))*max(b.wrkTime, time.Second), errTurns)
	defer cancel()
	var pairs [ofControl + 1]*pair
	defer func() {
		cancel()
		for _, p := range pairs {
			p.end()
		}
	}()
	order := orderOf(round)
	for _, i := range order {
		p := &pair{}
		pairs[i] = p
		if p.server, err = process.Start(ctx, servers[i][0], servers[i][1:]...); err != nil {
			return all, err
		}
		if p.cpu, err = p.server.CPU(); err != nil {
			return all, err
		}
		load := b.loadOf(o, p.server.Addr)
		load.Duration *= time.Duration(len(servers))
		p.start = func() (*wrk.Running, error) { return wrk.Start(ctx, clients, load) }
		if err := p.pause(); err != nil {
			return all, err
		}
	}
	for left := len(pairs); left > 0; {
		for _, i := range order {
			if all[i] != nil {
				continue
			}
			ended, err := pairs[i].run()
			if err != nil {
				return all, err
			}
			if ended {
				if all[i], err = pairs[i].result(); err != nil {
					return all, err
				}
				left--
			}
		}
	}
	return all, nil
}

// orderOf is the order of the turns in a round: each one is the first, and each comes
// behind each other, as often as the others do in six of them.
func orderOf(round int) (order [ofControl + 1]int) {
	for k := range order {
		order[k] = (round + k) % len(order)
	}
	if round/len(order)%2 == 1 {
		slices.Reverse(order[:])
	}
	return order
}

var errTurns = errors.New("the clients do not come to an end")

func (p *pair) pause() error {
	if p.wrk != nil {
		if err := process.Pause(p.wrk.Process()); err != nil {
			return err
		}
	}
	err := process.Pause(p.server.Process())
	p.since = time.Now()
	return err
}

func (p *pair) resume() (err error) {
	paused := pause{p.since, time.Now()}
	if err := process.Resume(p.server.Process()); err != nil {
		return err
	}
	if p.wrk == nil {
		p.wrk, err = p.start()
		return err
	}
	if err = process.Resume(p.wrk.Process()); err == nil { // or it had come to its end before that pause
		p.pauses = append(p.pauses, paused)
	}
	return err
}

// run lets the pair run for its turn, and says whether the clients have ended.
func (p *pair) run() (ended bool, err error) {
	if err := p.resume(); err != nil {
		return p.over(err)
	}
	timer := time.NewTimer(turn)
	defer timer.Stop()
	select {
	case <-p.wrk.Done():
		return true, nil
	case <-timer.C:
	}
	if err := p.pause(); err != nil {
		return p.over(err)
	}
	return false, nil
}

// over says whether an error only says that the clients have ended.
func (p *pair) over(err error) (ended bool, _ error) {
	if !errors.Is(err, os.ErrProcessDone) {
		return false, err
	}
	<-p.wrk.Done()
	return true, nil
}

// result is what the load showed, without the pauses.
func (p *pair) result() (*loaded, error) {
	r, err := p.wrk.Wait()
	if err != nil {
		return nil, err
	}
	after, err := p.server.CPU()
	if err != nil {
		return nil, err
	}
	if err := process.Pause(p.server.Process()); err != nil { // the others have the machine now
		return nil, err
	}
	begun := r.Ended().Add(-r.Duration())
	for _, pause := range p.pauses { // wrk exits a while after it has stopped its clock
		r.Seconds -= pause.within(begun, r.Ended()).Seconds()
	}
	return &loaded{r, (after - p.cpu) / float64(r.Requests)}, nil
}

// end ends what is left of the pair. The context that both have has ended.
func (p *pair) end() {
	if p == nil || p.server == nil {
		return
	}
	if p.wrk != nil {
		_ = process.Resume(p.wrk.Process())
		_, _ = p.wrk.Wait()
	}
	_ = process.Resume(p.server.Process())
	_ = p.server.End()
}
