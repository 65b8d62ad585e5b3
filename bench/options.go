package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/bench/hot"
	"github.com/fastdrain/fastdrain/internal/project"
)

// options say what to measure.
type options struct {
	quick, gate bool
	long        bool
	results     string // a directory, empty for none
	parts       []string
	workloads   []*hot.Workload // chosen ones, in the order of the table
	chosen      bool            // by the user
	json        string

	repeats   int           // of an instruction count
	runs      int           // interleaved runs
	benchtime time.Duration // of each
	loads     int           // of each over sockets
	moreLoads int           // at most
	wrkTime   time.Duration
	rounds    int // of a drain
	sizes     []int
	snapshots []int
}

// extent is how much is measured where the flags do not say.
type extent struct {
	repeats, runs, loads, moreLoads, rounds int
	benchtime, wrk                          time.Duration
	connections, snapshots                  []int
}

// short takes ten minutes, with the core workloads, long an hour, with all. More than the
// least number of loads are made only where noise leaves an interval wide. One stop takes
// a fifth more or less than the next of the same server: of seven, the median is over a
// limit by chance.
var (
	short = extent{
		repeats: 3, runs: 6, loads: 7, moreLoads: 11, rounds: 3,
		benchtime: 200 * time.Millisecond, wrk: time.Second,
		connections: []int{1000, 10000}, snapshots: []int{100, 10000, 100000},
	}
	long = extent{
		repeats: 3, runs: 8, loads: 30, moreLoads: 60, rounds: 15,
		benchtime: 500 * time.Millisecond, wrk: time.Second,
		connections: []int{100, 1000, 5000, 10000, 15000}, snapshots: []int{100, 1000, 10000, 100000, 1000000},
	}
)

func flags() []cli.Flag {
	usage := func(text string, longer any) string { return fmt.Sprintf("%s (-long: %v)", text, longer) }
	return []cli.Flag{
		&cli.BoolFlag{Name: "long", Usage: "measure all workloads, and more of each: an hour instead of ten minutes"},
		&cli.BoolFlag{Name: "quick", Usage: "only the core workloads' instructions and allocations, in less than 3 minutes"},
		&cli.BoolFlag{Name: "gate", Usage: "the gate of continuous integration: as -quick, with its limits, and with copies made worse on purpose, which it must notice"},
		&cli.StringSliceFlag{Name: "only", Usage: "measure only these `PART`s"},
		&cli.StringSliceFlag{Name: "workload", Usage: "measure only these `NAME`d workloads of the request path"},
		&cli.StringFlag{Name: "json", Usage: "write all figures to `FILE` as JSON, too", TakesFile: true},
		&cli.StringFlag{Name: "results", Usage: "write RESULTS.md, its plots and results.json into `DIR`, too; long, and with -only what is not measured stays as it is there", TakesFile: true},
		&cli.IntFlag{Name: "repeats", Value: short.repeats, Usage: usage("count instructions `N` times and take the median", long.repeats)},
		&cli.IntFlag{Name: "runs", Value: short.runs, Usage: usage("time each side `N` times", long.runs)},
		&cli.DurationFlag{Name: "benchtime", Value: short.benchtime, Usage: usage("let each of these take `TIME`", long.benchtime)},
		&cli.IntFlag{Name: "loads", Value: short.loads, Usage: usage("load each side over sockets at least `N` times", long.loads)},
		&cli.IntFlag{Name: "more-loads", Value: short.moreLoads, Usage: usage("and at most `N` times, where noise makes the interval wide", long.moreLoads)},
		&cli.DurationFlag{Name: "wrk", Value: short.wrk, Usage: usage("let each of these take `TIME`", long.wrk)},
		&cli.IntFlag{Name: "rounds", Value: short.rounds, Usage: usage("stop each server `N` times at each number of connections", long.rounds)},
		&cli.IntSliceFlag{Name: "connections", Value: short.connections, Usage: usage("stop servers with `N` idle connections each", long.connections)},
		&cli.IntSliceFlag{Name: "snapshots", Value: short.snapshots, Usage: usage("take snapshots of `N` connections each", long.snapshots)},
	}
}

// parse reads the flags.
func parse(cmd *cli.Command) (*options, error) {
	if cmd.Args().Present() {
		return nil, fmt.Errorf("there is no argument, but %q was given", cmd.Args().First())
	}
	o := &options{
		quick: cmd.Bool("quick"), gate: cmd.Bool("gate"), results: cmd.String("results"),
		parts: cmd.StringSlice("only"), json: cmd.String("json"),
		long: cmd.Bool("long") || cmd.String("results") != "",
	}
	said := func(name string) bool { return cmd.IsSet(name) || !o.long }
	o.repeats = either(said("repeats"), cmd.Int("repeats"), long.repeats)
	o.runs = either(said("runs"), cmd.Int("runs"), long.runs)
	o.benchtime = either(said("benchtime"), cmd.Duration("benchtime"), long.benchtime)
	o.loads = either(said("loads"), cmd.Int("loads"), long.loads)
	o.moreLoads = either(said("more-loads"), cmd.Int("more-loads"), long.moreLoads)
	o.wrkTime = either(said("wrk"), cmd.Duration("wrk"), long.wrk)
	o.rounds = either(said("rounds"), cmd.Int("rounds"), long.rounds)
	o.sizes = either(said("connections"), cmd.IntSlice("connections"), slices.Clone(long.connections))
	o.snapshots = either(said("snapshots"), cmd.IntSlice("snapshots"), slices.Clone(long.snapshots))
	for _, one := range []struct {
		name string
		n    int
	}{{"repeats", o.repeats}, {"runs", o.runs}, {"loads", o.loads}, {"rounds", o.rounds}} {
		if one.n < 1 {
			return nil, fmt.Errorf("-%s %d: at least 1 is needed", one.name, one.n)
		}
	}
	for _, n := range slices.Concat(o.sizes, o.snapshots) {
		if n < 1 {
			return nil, fmt.Errorf("%d connections: at least 1 is needed", n)
		}
	}
	slices.Sort(o.sizes)
	slices.Sort(o.snapshots)
	if o.quick || o.gate {
		if len(o.parts) > 0 || o.long {
			return nil, errors.New("-quick and -gate choose what to measure themselves: leave out -only, -long and -results")
		}
		o.parts = []string{"instructions"}
	}
	for _, name := range o.parts {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return nil, fmt.Errorf("there is no part %q; there are:\n%s", name, partHelp())
		}
	}
	names := cmd.StringSlice("workload")
	o.chosen = len(names) > 0
	for _, name := range names {
		if hot.Named(name) == nil {
			return nil, fmt.Errorf("there is no workload %q; there are:\n%s", name, workloadHelp())
		}
	}
	for _, w := range hot.Workloads {
		if o.chosen && !slices.Contains(names, w.Name) || !o.chosen && !o.long && !w.Core {
			continue
		}
		o.workloads = append(o.workloads, w)
	}
	// Not after an hour of work.
	if o.json != "" {
		if err := directory(filepath.Dir(o.json)); err != nil {
			return nil, fmt.Errorf("-json %s: %w", o.json, err)
		}
	}
	if o.results != "" {
		if err := directory(o.results); err != nil {
			return nil, fmt.Errorf("-results %s: %w", o.results, err)
		}
	}
	return o, nil
}

func either[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

func directory(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", path)
	}
	return err
}

func workloadHelp() string {
	var b strings.Builder
	for _, w := range hot.Workloads {
		core := ""
		if w.Core {
			core = " (core)"
		}
		fmt.Fprintf(&b, "  %-17s %s%s\n", w.Name, w.About, core)
	}
	return b.String()
}

func runCommand(ctx context.Context, cmd *cli.Command) error {
	o, err := parse(cmd)
	if err != nil {
		return err
	}
	p, err := project.Find(".")
	if err != nil {
		return err
	}
	return run(ctx, p, o, os.Stdout, os.Stderr)
}
