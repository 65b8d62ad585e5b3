package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/fastdrain/fastdrain/bench/hot"
	"github.com/fastdrain/fastdrain/bench/internal/control"
	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/internal/variant"
)

// controls measures copies made worse on purpose, each by one workload, and
// fails if one of them is within the limits of the gate.
func (b *bench) controls(ctx context.Context) error {
	w := hot.Named("get")
	var missed []error
	for _, c := range control.Controls {
		v, err := b.control(ctx, c, w)
		if err != nil {
			return fmt.Errorf("the control %s: %w", c.Name, err)
		}
		verdict := "noticed"
		if !v.Exceeded() {
			verdict = "NOT NOTICED"
			missed = append(missed, fmt.Errorf("the gate is blind: the control %s passes (%s)", c.Name, v))
		}
		fmt.Fprintf(b.out, "  %-11s %-17s %s\n", verdict, c.Name, v)
	}
	return errors.Join(missed...)
}

// control measures one control against upstream, and returns what its limit says.
func (b *bench) control(ctx context.Context, c control.Control, w *hot.Workload) (figure.Verdict, error) {
	// Beside the binaries, so that the copy is not written anew each time.
	dir := filepath.Join(b.build.Dir, "control", c.Name)
	if err := control.Write(ctx, b.project, c.Name, dir); err != nil {
		return figure.Verdict{}, err
	}
	upstream, err := b.build.Tests(ctx, variant.Upstream, hotPackage)
	if err != nil {
		return figure.Verdict{}, err
	}
	worse, err := b.build.Tests(ctx, variant.Side{Name: c.Name, Copy: dir}, hotPackage)
	if err != nil {
		return figure.Verdict{}, err
	}
	of := &bench{options: b.options, err: b.err, begun: b.begun}
	if c.Metric == figure.Allocs {
		err = of.allocations(ctx, w, upstream, worse)
	} else {
		var valgrind string
		if valgrind, err = b.valgrind(ctx); err != nil {
			return figure.Verdict{}, err
		}
		counts, err := countAll(ctx, valgrind, w, 1, upstream, worse)
		if err != nil {
			return figure.Verdict{}, err
		}
		of.compareCounts(w, counts[0], counts[1])
	}
	if err != nil {
		return figure.Verdict{}, err
	}
	for _, v := range figure.Judge(of.figures, true, c.Metric) {
		if v.Figure != nil {
			return v, nil
		}
	}
	return figure.Verdict{}, fmt.Errorf("there is no limit for %s of %s", c.Metric, w.Name)
}
