package main

import (
	"bytes"
	"context"
	"path/filepath"

	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/bench/internal/gobench"
	"github.com/fastdrain/fastdrain/bench/internal/stats"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// time measures how long a request takes in one process, without sockets. The
// sides take turns, and so do the workloads, so that an hour that is slow for
// all of them is no difference.
func (b *bench) time(ctx context.Context) error {
	upstream, patched, err := b.sides(ctx, hotPackage)
	if err != nil {
		return err
	}
	paths := [2]string{upstream, patched}
	var text [2]bytes.Buffer
	values := map[string]*[2][]float64{} // by workload and unit
	for n := range b.runs {
		for _, w := range b.workloads {
			for k := range paths {
				side := (n + k) % 2
				results, out, err := gobench.Run(ctx, paths[side], benchPattern(w), b.benchtime.String())
				if err != nil {
					return err
				}
				text[side].Write(out)
				for _, r := range results {
					for unit, v := range r.Values {
						key := w.Name + " " + unit
						if values[key] == nil {
							values[key] = &[2][]float64{}
						}
						values[key][side] = append(values[key][side], v)
					}
				}
			}
		}
		b.say("timed %d of %d", n+1, b.runs)
	}
	for _, w := range b.workloads {
		for _, m := range []struct {
			metric figure.Metric
			unit   string
		}{{figure.Time, "ns/op"}, {figure.Bytes, "heap-B/op"}} {
			if v := values[w.Name+" "+m.unit]; v != nil {
				b.addPaired(w.Name, m.metric, v[0], v[1])
			}
		}
	}
	// For benchstat.
	for side, name := range []string{"time-upstream.txt", "time-patched.txt"} {
		if err := tree.WriteFile(filepath.Join(b.build.Dir, name), text[side].Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// addPaired adds the figure of runs that were made in pairs.
func (b *bench) addPaired(workload string, m figure.Metric, upstream, patched []float64) *figure.Figure {
	f := figure.New(workload, m, stats.Of(upstream).Median, stats.Of(patched).Median)
	f.Runs = len(patched)
	if *f.Upstream > 0 && *f.Patched > 0 {
		r := stats.PairedRatio(upstream, patched)
		f.Ratio, f.Low, f.High = figure.Value(r.Median), figure.Value(r.Low), figure.Value(r.High)
		f.P = figure.Value(stats.P(upstream, patched))
	}
	b.figures = append(b.figures, f)
	return f
}
