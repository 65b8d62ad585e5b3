package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/fastdrain/fastdrain/internal/process"
)

// DefaultRounds is the number of rounds where nothing else is asked for.
const DefaultRounds = 5

// Options say what to run and where to show it.
type Options struct {
	// Root is the directory of the project's checkout.
	Root string
	// Scenarios and Variants choose what to run; empty is all of them, but for
	// the scenarios that are run only when asked for.
	Scenarios []string
	Variants  []string
	// Load, if not nil, is what to run instead of the scenarios.
	Load *Load
	// Rounds is the number of stops for each scenario and variant. 0 is
	// DefaultRounds, or with Demo what fits into two minutes.
	Rounds int
	// Demo ends the output with a sentence that says what was shown.
	Demo bool
	// JSONFile is where the results go as JSON; empty is nowhere.
	JSONFile string

	// Addr is the address that the servers listen on; empty is a free port of
	// 127.0.0.1. Start starts them, nil is as ever, and Dial connects to them
	// over TCP, nil is [net.Dialer.Dial]. They are for servers and clients in
	// network namespaces. Stopping, if any, is called directly before SIGTERM, and
	// Stopped when the process has exited and the clients have ended.
	Addr              string
	Start             func(*exec.Cmd) error
	Dial              func(d *net.Dialer, network, addr string) (net.Conn, error)
	Stopping, Stopped func()
	// PatchedArgs are arguments for the patched server, after the scenario's own.
	PatchedArgs []string

	// Out is for the results, Progress for what happens until they are there.
	Out, Progress io.Writer
}

// ErrLimit says that the patched server has exceeded one of its limits. Which,
// and by how much, has been written to Options.Out.
var ErrLimit = errors.New("the patched server exceeds a limit")

// Run builds the servers, runs the rounds and reports. The error is ErrLimit if
// the patched server has exceeded a limit; every other one means that there is
// no result to trust. When ctx ends, the servers are ended and Run returns.
func Run(ctx context.Context, o Options) error {
	if o.JSONFile != "" {
		// Not after ten minutes of work.
		if info, err := os.Stat(filepath.Dir(o.JSONFile)); err != nil {
			return fmt.Errorf("the directory of the JSON file: %w", err)
		} else if !info.IsDir() {
			return fmt.Errorf("the directory of the JSON file: %s is not a directory", filepath.Dir(o.JSONFile))
		}
	}
	results, took, err := measure(ctx, o)
	if err != nil {
		return err
	}
	terminal := isTerminal(o.Out)
	verdicts := judge(results)
	writeTable(o.Out, results, terminal)
	writeDetails(o.Out, results)
	writeVerdicts(o.Out, verdicts)
	if o.Demo {
		fmt.Fprintf(o.Out, "\n%s\n", closing(results, verdicts, took))
	}
	if o.JSONFile != "" {
		if err := writeJSON(o.JSONFile, results); err != nil {
			return fmt.Errorf("writing the JSON file: %w", err)
		}
	}
	if err := trust(results); err != nil {
		return err
	}
	if n := exceededLimits(verdicts); n > 0 {
		return fmt.Errorf("%w (%d of %d)", ErrLimit, n, len(verdicts))
	}
	return nil
}

// Measure does what Run does, and returns the results instead of reporting and
// judging them. What is said about reports in the options has no effect.
func Measure(ctx context.Context, o Options) ([]*Result, error) {
	results, _, err := measure(ctx, o)
	if err != nil {
		return nil, err
	}
	return results, trust(results)
}

// measure returns the results, to be trusted or not, and how long the rounds took.
func measure(ctx context.Context, o Options) (results []*Result, took time.Duration, err error) {
	groups, err := o.cells()
	if err != nil {
		return nil, 0, err
	}
	if o.Rounds < 0 {
		return nil, 0, fmt.Errorf("%d rounds: at least 1 is needed", o.Rounds)
	}
	progress := newReporter(o.Progress, isTerminal(o.Progress))
	servers, err := buildServers(ctx, o.Root, groups, progress)
	if err != nil {
		return nil, 0, err
	}
	begin := time.Now()
	for _, group := range groups {
		more, err := runGroup(ctx, group, o, servers, progress)
		if err != nil {
			return nil, 0, err
		}
		results = append(results, more...)
	}
	return results, time.Since(begin), nil
}

func (o Options) cells() ([][]cell, error) {
	if o.Load == nil {
		return cells(o.Scenarios, o.Variants)
	}
	variants, err := choose("variant", o.Variants, Variants())
	if err != nil {
		return nil, err
	}
	return [][]cell{o.Load.scenario().cells(variants)}, nil
}

func (o Options) rounds(s *scenario) int {
	switch {
	case o.Rounds > 0:
		return o.Rounds
	case o.Demo:
		return s.demoRounds
	default:
		return DefaultRounds
	}
}

func buildServers(ctx context.Context, root string, groups [][]cell, progress *reporter) (map[string]string, error) {
	servers := map[string]string{}
	for _, variant := range Variants() {
		needed := slices.ContainsFunc(groups, func(group []cell) bool {
			return slices.ContainsFunc(group, func(c cell) bool { return c.variant == variant })
		})
		if !needed {
			continue
		}
		progress.step("building the %s server", variant)
		path, err := Build(ctx, root, variant)
		if err != nil {
			return nil, err
		}
		servers[variant] = path
	}
	return servers, nil
}

// runGroup runs the rounds of one scenario. The variants take turns, so that
// what else the machine does meanwhile hits all of them alike.
func runGroup(ctx context.Context, group []cell, o Options, servers map[string]string, progress *reporter) ([]*Result, error) {
	rounds := o.rounds(group[0].scenario)
	results := make([]*Result, len(group))
	for i, c := range group {
		results[i] = newResult(c)
	}
	progress.begin(results, rounds)
	defer progress.end()
	r := runner{exitBound: exitBound, dial: o.Dial, stopping: o.Stopping, stopped: o.Stopped}
	for n := range rounds {
		for i, c := range group {
			server := process.Command{Path: servers[c.variant], Addr: o.Addr, Start: o.Start}
			if c.variant == Patched {
				server.Args = append(slices.Clone(c.scenario.patchedArgs), o.PatchedArgs...)
			}
			one, err := r.run(ctx, server, c.scenario)
			if err != nil {
				return nil, fmt.Errorf("%s, %s, round %d: %w", c.scenario.name, c.variant, n+1, err)
			}
			results[i].add(one)
			progress.update(results[i], rounds)
		}
	}
	return results, nil
}

// trust is an error if something makes the counts doubtful.
func trust(results []*Result) error {
	if faults := faultsOf(results); len(faults) > 0 {
		return fmt.Errorf("the counts are not to be trusted:%s", faults.list())
	}
	return nil
}

// faultsOf collects what makes the counts doubtful.
func faultsOf(results []*Result) counter {
	var faults counter
	for _, r := range results {
		for what, n := range r.tally.faults {
			faults.count(r.Scenario+", "+r.Variant+": "+what, n)
		}
	}
	return faults
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
