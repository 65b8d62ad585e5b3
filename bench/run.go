package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/fastdrain/fastdrain/bench/internal/binaries"
	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/internal/project"
)

// errLimit says that the patched server has exceeded a limit.
var errLimit = errors.New("the patched server exceeds a limit")

// part is a part of a run.
type part struct {
	name, about string
	metrics     []figure.Metric // that its limits are for
	measure     func(*bench, context.Context) error
}

// parts are the parts in the order of a run. What is loaded comes after what is stopped:
// it leaves tens of thousands of connections in TIME_WAIT, and a stop looks through the
// kernel's table of connections.
var parts = []part{
	{"instructions", "instructions, atomics and allocations of a request", []figure.Metric{figure.Instructions, figure.Atomics, figure.Allocs}, (*bench).instructions},
	{"time", "nanoseconds and bytes of a request in one process, by interleaved runs", nil, (*bench).time},
	{"drain", "time, memory and losses of stops with many connections", []figure.Metric{figure.Drain, figure.DrainCPU, figure.DrainExponent, figure.DrainLost, figure.IdleMemory}, (*bench).drain},
	{"sockets", "requests per second and latency over real sockets, by wrk", []figure.Metric{figure.WallTime}, (*bench).sockets},
	{"snapshot", "ConnStats and scrapes of many connections", nil, (*bench).snapshot},
}

func partHelp() string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "  %-17s %s\n", p.name, p.about)
	}
	return b.String()
}

// bench is a run.
type bench struct {
	*options
	project *project.Project
	build   binaries.Builder
	figures figure.Set
	notes   []string // what could not be measured, and why
	out     io.Writer
	err     io.Writer
	begun   time.Time
}

func run(ctx context.Context, p *project.Project, o *options, out, progress io.Writer) error {
	b := &bench{options: o, project: p, build: binaries.New(p.Root), out: out, err: progress, begun: time.Now()}
	var metrics []figure.Metric
	for _, part := range parts {
		if len(o.parts) > 0 && !slices.Contains(o.parts, part.name) {
			continue
		}
		metrics = append(metrics, part.metrics...)
		if err := part.measure(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if o.results != "" && len(o.parts) > 0 {
		all, err := b.figures.Over(filepath.Join(o.results, "results.json"))
		if err != nil {
			return fmt.Errorf("the results so far: %w", err)
		}
		if len(all) > len(b.figures) {
			what := strings.Join(o.parts, ", ")
			if o.chosen {
				what += ", of some workloads"
			}
			b.note("Measured in this run: %s. The other figures are of runs before it.", what)
			metrics = nil
			for _, part := range parts {
				metrics = append(metrics, part.metrics...)
			}
		}
		b.figures = all
	}
	verdicts := figure.Judge(b.figures, o.gate, metrics...)
	b.writeTables(out)
	b.writeVerdicts(out, verdicts)
	if o.json != "" {
		if err := b.figures.WriteJSON(o.json); err != nil {
			return fmt.Errorf("writing the JSON file: %w", err)
		}
	}
	if o.results != "" {
		if err := b.writeResults(verdicts); err != nil {
			return fmt.Errorf("writing the results: %w", err)
		}
	}
	if o.gate {
		if err := b.controls(ctx); err != nil {
			return err
		}
	}
	n := 0
	for _, v := range verdicts {
		// A choice of workloads leaves limits open, and so does a program that
		// cannot be had; the gate cannot do without.
		if v.Exceeded() || v.Open() && o.gate && !o.chosen {
			n++
		}
	}
	if n > 0 {
		return fmt.Errorf("%w (%d of %d)", errLimit, n, len(verdicts))
	}
	return nil
}

// say tells how a run goes on.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.err, "%6s  "+format+"\n", append([]any{time.Since(b.begun).Round(time.Second)}, args...)...)
}

// note keeps what a reader of the results has to know.
func (b *bench) note(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	b.notes = append(b.notes, note)
	b.say("%s", note)
}

// noteOnce is note for what may happen again and again.
func (b *bench) noteOnce(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(b.notes, note) {
		b.note("%s", note)
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
