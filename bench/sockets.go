package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/fastdrain/fastdrain/bench/hot"
	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/bench/internal/process"
	"github.com/fastdrain/fastdrain/bench/internal/stats"
	"github.com/fastdrain/fastdrain/bench/internal/wrk"
	"github.com/fastdrain/fastdrain/internal/tool"
	"github.com/fastdrain/fastdrain/internal/variant"
)

// narrow is the width of a ratio's interval at which no more rounds are needed.
// It is a rule about the noise, so that stopping does not depend on whether the
// result is welcome.
const narrow = 0.02

// overSockets is how a workload is done with processes.
type overSockets struct {
	server []string // its flags
	load   wrk.Load
}

const clients = 64

var browserHeaders = []string{
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
	"Accept-Language: en-GB,en;q=0.7,de;q=0.3",
	"Accept-Encoding: gzip, deflate, br, zstd",
	"Referer: https://shop.example.com/en/account",
	"Cookie: session=0b7d6f1b2a9c4e5f8a1d3c5b7e9f0a2c; theme=dark; consent=analytics%3D0; cart=eyJpdGVtcyI6M30",
	"Upgrade-Insecure-Requests: 1",
	"Sec-Fetch-Dest: document",
	"Sec-Fetch-Mode: navigate",
	"Sec-Fetch-Site: same-origin",
	"X-Forwarded-For: 203.0.113.7",
	"X-Request-Id: 7f3c1d9e-5b2a-4c8f-9e6d-0a1b2c3d4e5f",
}

var socketWorkloads = map[string]overSockets{
	"get":              {},
	"get-browser":      {load: wrk.Load{Headers: browserHeaders}},
	"post-1k":          {load: wrk.Load{Body: 1 << 10}},
	"pipeline-16":      {load: wrk.Load{Batch: 16}},
	"pipeline-64":      {load: wrk.Load{Batch: 64}},
	"conn-per-request": {load: wrk.Load{Headers: []string{"Connection: close"}}},
	"conn-per-10":      {server: []string{"-requests-per-conn", "10"}},
	"clients-10000":    {load: wrk.Load{Connections: 10000}},
	"timeouts":         {server: []string{"-timeouts"}},
	"reduce-memory":    {server: []string{"-reduce-memory"}},
	"stream-body":      {server: []string{"-stream-body"}, load: wrk.Load{Body: 64 << 10}},
	"tls":              {server: []string{"-tls"}},
	"timeout-handler":  {server: []string{"-timeout-handler"}},
	"conn-state":       {server: []string{"-conn-state"}},
	"scraped-10":       {server: []string{"-scrape", "100ms"}},
	"scraped":          {server: []string{"-scrape", "10ms"}},
	"scraped-even":     {server: []string{"-scrape", "10ms", "-even"}},
}

// loaded is what one load of one server showed.
type loaded struct {
	*wrk.Result
	cpu float64 // seconds for each request
}

// Whose processes a round over sockets has.
const (
	ofUpstream = iota
	ofPatched
	ofControl // upstream once more
)

// rounds are what each load of some workload showed, by whose process it was.
type rounds [ofControl + 1][]loaded

// sockets measures requests per second and latency over real sockets: rounds of a
// process of each side and of upstream once more, in turns. Each round has programs of
// its own, whose functions lie in another order: upstream over itself varies by that as
// much as the patched server does.
func (b *bench) sockets(ctx context.Context) error {
	path, err := tool.Find(ctx, "wrk", b.say)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		b.note("Nothing was measured over sockets: %v.", err)
		return nil
	}
	b.say("building %d servers of each side, each with its functions in another order", max(b.loads, b.moreLoads))
	layouts := make([][ofControl + 1]string, max(b.loads, b.moreLoads))
	defer func() { // ten megabytes each
		for _, paths := range layouts {
			for _, path := range paths {
				_ = os.Remove(path)
			}
		}
	}()
	for n := range layouts {
		for i, side := range [ofControl + 1]variant.Side{variant.Upstream, variant.Patched, variant.Upstream} {
			number := 2*n + 1
			if i == ofControl {
				number++
			}
			if layouts[n][i], err = b.build.Layout(ctx, side, "./server", number); err != nil {
				return err
			}
		}
	}
	serverCPUs, clientCPUs := process.Halves()
	if serverCPUs == nil {
		b.note("Servers and clients shared the processors, as taskset is missing or there is only one: the intervals over sockets are wider for it.")
	}
	var together rounds
	for _, w := range b.workloads {
		o, ok := socketWorkloads[w.Name]
		if !ok {
			return fmt.Errorf("%s has no counterpart over sockets", w.Name)
		}
		commands := func(n int) (all [ofControl + 1][]string) {
			for i := range all {
				all[i] = slices.Concat(serverCPUs, []string{layouts[n][i]}, o.server)
			}
			return all
		}
		wrkCommand := append(clientCPUs[:len(clientCPUs):len(clientCPUs)], path)
		var all rounds
		for n := 0; n < b.loads || n < b.moreLoads && all.width() > narrow; n++ {
			one, err := b.inTurns(ctx, commands(n), wrkCommand, o, n)
			if err != nil {
				return fmt.Errorf("%s: %w", w.Name, err)
			}
			for i, l := range one {
				all[i] = append(all[i], *l)
			}
		}
		b.compareLoads(w.Name, all)
		for i := range all {
			together[i] = append(together[i], all[i]...)
		}
		if o.load.Batch > 0 {
			continue // of which wrk cannot tell a latency
		}
		if err := b.latencies(ctx, w, commands, wrkCommand, o); err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
	}
	if len(b.workloads) > 1 && !b.chosen { // or the results would have some as all
		b.compareLoads(figure.Together, together)
	}
	return nil
}

// latencyLoads is how often each side is loaded alone, one after the other, for the
// latencies: a pause in a turn would be one of them.
const latencyLoads = 4

func (b *bench) latencies(ctx context.Context, w *hot.Workload, commands func(round int) [ofControl + 1][]string, wrkCommand []string, o overSockets) error {
	var all [2][]loaded
	for n := range latencyLoads {
		for k := range all {
			side := (n + k) % len(all)
			r, err := b.alone(ctx, commands(n)[side], wrkCommand, o)
			if err != nil {
				return err
			}
			all[side] = append(all[side], loaded{Result: r})
		}
	}
	for _, m := range []struct {
		metric figure.Metric
		of     func(loaded) float64
	}{
		{figure.LatencyP50, func(l loaded) float64 { return l.P50 }},
		{figure.LatencyP99, func(l loaded) float64 { return l.P99 }},
		{figure.LatencyTop, func(l loaded) float64 { return l.Top }},
	} {
		b.addPaired(w.Name, m.metric, column(all[0], m.of), column(all[1], m.of))
	}
	return nil
}

// alone loads one server.
func (b *bench) alone(ctx context.Context, command, wrkCommand []string, o overSockets) (*wrk.Result, error) {
	s, err := process.Start(ctx, command[0], command[1:]...)
	if err != nil {
		return nil, err
	}
	defer s.End()
	r, err := wrk.Run(ctx, wrkCommand, b.loadOf(o, s.Addr))
	if err != nil {
		return nil, err
	}
	return r, s.End()
}

// loadOf is the load of a server at an address.
func (b *bench) loadOf(o overSockets, addr string) wrk.Load {
	load := o.load
	scheme := "http"
	if slices.Contains(o.server, "-tls") {
		scheme = "https"
	}
	load.URL, load.Duration = scheme+"://"+addr+"/", b.wrkTime
	switch {
	case load.Connections == 0:
		load.Connections = clients
	case load.Connections > 1000:
		load.Duration *= 3 // connecting takes a while
	}
	return load
}

// width is how wide the interval of the time's ratio is.
func (r rounds) width() float64 {
	if len(r[ofUpstream]) == 0 {
		return math.Inf(1)
	}
	return stats.PairedRatio(r.upstream(wallTime), column(r[ofPatched], wallTime)).Width()
}

// upstream is what upstream's two processes of each round showed, the mean of them: half
// of what a single one has by chance would be the ratio's.
func (r rounds) upstream(of func(loaded) float64) []float64 {
	mean := column(r[ofUpstream], of)
	for i, v := range column(r[ofControl], of) {
		mean[i] = (mean[i] + v) / 2
	}
	return mean
}

func wallTime(l loaded) float64 { return 1 / l.Rate() }

func column(all []loaded, f func(loaded) float64) []float64 {
	values := make([]float64, len(all))
	for i, l := range all {
		values[i] = f(l)
	}
	return values
}

// compareLoads adds the figures of a workload, or of all of them together: of these
// only the ratios say something.
func (b *bench) compareLoads(workload string, all rounds) {
	for _, m := range []struct {
		metric figure.Metric
		of     func(loaded) float64
	}{
		{figure.Rate, func(l loaded) float64 { return l.Rate() }},
		{figure.WallTime, wallTime},
		{figure.CPUTime, func(l loaded) float64 { return l.cpu }},
	} {
		if workload == figure.Together && m.metric == figure.Rate {
			continue
		}
		f := b.addPaired(workload, m.metric, all.upstream(m.of), column(all[ofPatched], m.of))
		same := stats.PairedRatio(column(all[ofUpstream], m.of), column(all[ofControl], m.of))
		if workload == figure.Together {
			f.Upstream, f.Patched = nil, nil
		}
		f.Control = &figure.Interval{Ratio: same.Median, Low: figure.Value(same.Low), High: figure.Value(same.High)}
	}
	f := b.figures.Find(workload, figure.WallTime)
	low, high := math.Inf(-1), math.Inf(1)
	if f.Low != nil && f.High != nil {
		low, high = *f.Low, *f.High
	}
	b.say("%-17s %d rounds, time %.3f of upstream's (%.3f to %.3f); upstream over itself %.3f", workload, f.Runs, *f.Ratio, low, high, f.Control.Ratio)
}
