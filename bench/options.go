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
	results     string // a directory, empty for none
	parts       []string
	workloads   []*hot.Workload // chosen ones, in the order of the table
	chosen      bool            // by the user
	json        string

	repeats   int           // of an instruction count
	runs      int           // interleaved runs
	benchtime time.Duration // of each
	pairs     int           // over sockets
	morePairs int           // at most
	wrkTime   time.Duration
	rounds    int // of a drain
	sizes     []int
	snapshots []int
}

func flags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "quick", Usage: "only the core workloads' instructions and allocations, in less than 3 minutes"},
		&cli.BoolFlag{Name: "gate", Usage: "the gate of continuous integration: as -quick, with its limits, and with copies made worse on purpose, which it must notice"},
		&cli.StringSliceFlag{Name: "only", Usage: "measure only these `PART`s"},
		&cli.StringSliceFlag{Name: "workload", Usage: "measure only these `NAME`d workloads of the request path"},
		&cli.StringFlag{Name: "json", Usage: "write all figures to `FILE` as JSON, too", TakesFile: true},
		&cli.StringFlag{Name: "results", Usage: "write RESULTS.md, its plots and results.json into `DIR`, too; with -only, what is not measured stays as it is there", TakesFile: true},
		&cli.IntFlag{Name: "repeats", Value: 3, Usage: "count instructions `N` times and take the median"},
		&cli.IntFlag{Name: "runs", Value: 10, Usage: "time each side `N` times"},
		&cli.DurationFlag{Name: "benchtime", Value: 500 * time.Millisecond, Usage: "let each of these take `TIME`"},
		&cli.IntFlag{Name: "pairs", Value: 7, Usage: "load each side over sockets at least `N` times"},
		&cli.IntFlag{Name: "more-pairs", Value: 31, Usage: "and at most `N` times, where noise makes the interval wide"},
		&cli.DurationFlag{Name: "wrk", Value: 3 * time.Second, Usage: "let each of these take `TIME`"},
		&cli.IntFlag{Name: "rounds", Value: 5, Usage: "stop each server `N` times at each number of connections"},
		&cli.IntSliceFlag{Name: "connections", Value: []int{100, 1000, 5000, 10000, 15000}, Usage: "stop servers with `N` idle connections each"},
		&cli.IntSliceFlag{Name: "snapshots", Value: []int{100, 1000, 10000, 100000, 1000000}, Usage: "take snapshots of `N` connections each"},
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
		repeats: cmd.Int("repeats"),
		runs:    cmd.Int("runs"), benchtime: cmd.Duration("benchtime"),
		pairs: cmd.Int("pairs"), morePairs: cmd.Int("more-pairs"), wrkTime: cmd.Duration("wrk"),
		rounds: cmd.Int("rounds"), sizes: cmd.IntSlice("connections"), snapshots: cmd.IntSlice("snapshots"),
	}
	for _, one := range []struct {
		name string
		n    int
	}{{"repeats", o.repeats}, {"runs", o.runs}, {"pairs", o.pairs}, {"rounds", o.rounds}} {
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
		if len(o.parts) > 0 || o.results != "" {
			return nil, errors.New("-quick and -gate choose the parts themselves: leave out -only and -results")
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
		if o.chosen && !slices.Contains(names, w.Name) || !o.chosen && (o.quick || o.gate) && !w.Core {
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
