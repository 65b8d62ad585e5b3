package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/bench/internal/holders"
	"github.com/fastdrain/fastdrain/bench/internal/process"
	"github.com/fastdrain/fastdrain/bench/internal/serving"
	"github.com/fastdrain/fastdrain/bench/internal/stats"
)

const (
	// busyConnections is the number of busy clients at a stop.
	busyConnections = 1000

	// busyFor is how many requests they have made before, each.
	busyFor = 5

	// stopBound is how long a stop may take.
	stopBound = 3 * time.Minute

	// fromExponent is the number of connections from which on the growth of a
	// drain is fitted: below it the start of goroutines and timers counts.
	fromExponent = 1000
)

// clientsOf are the clients of a server that is stopped.
type clientsOf interface {
	End() (lost int, example, err error)
	Abandon()
}

// stopped is what one stop showed.
type stopped struct {
	serving.Stop
	lost             int
	memory, resident float64 // for each connection, before the stop
}

// drain measures stops: with idle connections, whose clients hold them until
// they see the FIN, and with busy ones. The servers take turns.
func (b *bench) drain(ctx context.Context) error {
	servers, err := b.stoppables(ctx)
	if err != nil {
		return err
	}
	idle := map[string][]float64{} // the median drains by server, in the order of the sizes
	for _, n := range b.sizes {
		name := fmt.Sprintf("idle-%d", n)
		rounds, err := b.stops(ctx, name, servers, func(ctx context.Context, s stoppable) (*stopped, error) {
			return b.stop(ctx, slices.Concat(s.command, s.noWindow), n, func(addr string) (clientsOf, error) {
				return holders.Hold(ctx, addr, n)
			})
		})
		if err != nil {
			return err
		}
		b.addStops(name, servers, rounds, true)
		if n >= fromExponent {
			for _, s := range servers {
				idle[s.name] = append(idle[s.name], medianOf(rounds[s.name], drainSeconds))
			}
		}
	}
	b.addExponent(servers, idle)
	servers = slices.DeleteFunc(servers, func(s stoppable) bool { return s.idleOnly })
	name := fmt.Sprintf("busy-%d", busyConnections)
	rounds, err := b.stops(ctx, name, servers, func(ctx context.Context, s stoppable) (*stopped, error) {
		return b.stop(ctx, s.command, busyConnections, func(addr string) (clientsOf, error) {
			busy, err := holders.Work(ctx, addr, busyConnections)
			if err != nil {
				return nil, err
			}
			for begin := time.Now(); busy.Answered() < busyFor*busyConnections; time.Sleep(time.Millisecond) {
				if time.Since(begin) > stopBound {
					busy.Abandon()
					return nil, fmt.Errorf("the clients had only %d requests answered in %v", busy.Answered(), stopBound)
				}
			}
			return busy, nil
		})
	})
	if err != nil {
		return err
	}
	b.addStops(name, servers, rounds, false)
	return nil
}

func (b *bench) stops(ctx context.Context, name string, servers []stoppable, one func(context.Context, stoppable) (*stopped, error)) (map[string][]*stopped, error) {
	rounds := map[string][]*stopped{}
	for n := range b.rounds {
		for i := range servers {
			s := servers[(i+n)%len(servers)]
			r, err := one(ctx, s)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", name, s.name, err)
			}
			rounds[s.name] = append(rounds[s.name], r)
		}
	}
	for _, s := range servers {
		b.say("%-10s %-8s %8.1f ms, %5.1f ms of CPU, lost %.0f", name, s.name,
			1e3*medianOf(rounds[s.name], drainSeconds), 1e3*medianOf(rounds[s.name], drainCPU), sumOf(rounds[s.name], lost))
	}
	return rounds, nil
}

// stop starts a server, has clients connect, and stops it.
func (b *bench) stop(ctx context.Context, command []string, n int, connect func(addr string) (clientsOf, error)) (*stopped, error) {
	s, err := process.Start(ctx, command[0], command[1:]...)
	if err != nil {
		return nil, err
	}
	defer s.End()
	before, err := s.Memory()
	if err != nil {
		return nil, err
	}
	clients, err := connect(s.Addr)
	if err != nil {
		return nil, err
	}
	defer clients.Abandon()
	after := before
	if _, idle := clients.(*holders.Idle); idle {
		if after, err = s.Memory(); err != nil {
			return nil, err
		}
	}
	st, err := s.Stop(stopBound)
	if err != nil {
		return nil, err
	}
	r := &stopped{
		Stop:     st,
		memory:   (float64(after.Heap+after.Stacks) - float64(before.Heap+before.Stacks)) / float64(n),
		resident: (float64(after.Resident) - float64(before.Resident)) / float64(n),
	}
	if r.lost, _, err = clients.End(); err != nil {
		return nil, err
	}
	if err := process.Forget(ctx, s.Addr); err != nil {
		b.noteOnce("Each stop leaves its connections in TIME_WAIT to the next ones: %v.", err)
	}
	return r, nil
}

func drainSeconds(s *stopped) float64 { return s.Seconds }
func drainCPU(s *stopped) float64     { return s.CPUSeconds }
func drainPeak(s *stopped) float64    { return float64(s.PeakResident) }
func lost(s *stopped) float64         { return float64(s.lost) }
func memory(s *stopped) float64       { return s.memory }
func resident(s *stopped) float64     { return s.resident }

func valuesOf(all []*stopped, f func(*stopped) float64) []float64 {
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = f(s)
	}
	return values
}

func medianOf(all []*stopped, f func(*stopped) float64) float64 {
	return stats.Of(valuesOf(all, f)).Median
}

func sumOf(all []*stopped, f func(*stopped) float64) (sum float64) {
	for _, v := range valuesOf(all, f) {
		sum += v
	}
	return sum
}

// addStops adds the figures of the stops of one kind.
func (b *bench) addStops(name string, servers []stoppable, rounds map[string][]*stopped, idle bool) {
	for _, m := range []struct {
		metric figure.Metric
		of     func(*stopped) float64
		sum    bool
		idle   bool // only where connections are idle
	}{
		{figure.Drain, drainSeconds, false, false},
		{figure.DrainCPU, drainCPU, false, false},
		{figure.DrainMemory, drainPeak, false, false},
		{figure.DrainLost, lost, true, false},
		{figure.IdleMemory, memory, false, true},
		{figure.IdleResident, resident, false, true},
	} {
		if m.idle && !idle {
			continue
		}
		value := func(server string) float64 {
			if m.sum {
				return sumOf(rounds[server], m.of)
			}
			return medianOf(rounds[server], m.of)
		}
		f := figure.New(name, m.metric, value("upstream"), value("patched"))
		f.Runs = b.rounds
		if !m.sum {
			r := stats.PairedRatio(valuesOf(rounds["upstream"], m.of), valuesOf(rounds["patched"], m.of))
			f.Low, f.High = figure.Value(r.Low), figure.Value(r.High)
		}
		f.Others = map[string]float64{}
		for _, s := range servers {
			if !slices.Contains([]string{"upstream", "patched"}, s.name) {
				f.Others[s.name] = value(s.name)
			}
		}
		if m.metric == figure.DrainCPU {
			f.AddFloor(bareClose, bareDrain)
		}
		b.figures = append(b.figures, f)
	}
}

// addExponent adds how the drain's time grows with the number of connections.
func (b *bench) addExponent(servers []stoppable, idle map[string][]float64) {
	var sizes []float64
	for _, n := range b.sizes {
		if n >= fromExponent {
			sizes = append(sizes, float64(n))
		}
	}
	if len(sizes) < 2 {
		b.note("No exponent was fitted: it takes two numbers of connections from %d on.", fromExponent)
		return
	}
	name := fmt.Sprintf("idle-%.0f..%.0f", sizes[0], sizes[len(sizes)-1])
	f := figure.New(name, figure.DrainExponent, stats.Exponent(sizes, idle["upstream"]), stats.Exponent(sizes, idle["patched"]))
	f.Others = map[string]float64{}
	for _, s := range servers[2:] {
		f.Others[s.name] = stats.Exponent(sizes, idle[s.name])
	}
	b.figures = append(b.figures, f)
}
