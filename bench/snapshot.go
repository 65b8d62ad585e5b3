package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/bench/internal/lockholds"
	"github.com/fastdrain/fastdrain/bench/internal/stats"
	"github.com/fastdrain/fastdrain/internal/variant"
)

// perSnapshotConn is about what a connection in memory takes, in bytes. It is
// there to leave out numbers of them for which a machine is too small.
const perSnapshotConn = 8 << 10

// snapshotResult is what the command snapshot writes.
type snapshotResult struct {
	Snapshot, Scrape []float64
	HoldP99, HoldMax *float64
}

// snapshot measures what looking at a server takes.
func (b *bench) snapshot(ctx context.Context) error {
	b.say("building the snapshot commands")
	plain, err := b.build.Program(ctx, variant.Patched, "./snapshot")
	if err != nil {
		return err
	}
	dir := filepath.Join(b.build.Dir, "control", "lockholds")
	if err := lockholds.Write(ctx, b.project, dir); err != nil {
		return err
	}
	timed, err := b.build.Program(ctx, variant.Side{Name: "lockholds", Copy: dir}, "./snapshot")
	if err != nil {
		return err
	}
	for _, n := range b.snapshots {
		if free := availableMemory(); free > 0 && n > free/perSnapshotConn {
			b.note("Snapshots of %d connections were left out: there are %d MB of memory free.", n, free>>20)
			continue
		}
		name := fmt.Sprintf("snapshot-%d", n)
		r, err := look(ctx, plain, n)
		if err != nil {
			return err
		}
		for _, m := range []struct {
			metric figure.Metric
			values []float64
		}{{figure.Snapshot, r.Snapshot}, {figure.Scrape, r.Scrape}} {
			s := stats.Of(m.values)
			f := figure.Patched(name, m.metric, s.Median)
			f.Low, f.High, f.Runs = figure.Value(s.Low), figure.Value(s.High), len(m.values)
			b.figures = append(b.figures, f)
		}
		held, err := look(ctx, timed, n)
		if err != nil {
			return err
		}
		if held.HoldP99 == nil {
			return fmt.Errorf("%s does not show how long locks are held", timed)
		}
		b.figures = append(b.figures, figure.Patched(name, figure.LockHold, *held.HoldP99))
		b.say("%-17s %.3f ms, a scrape %.3f ms; locks held %.1f µs at the 99th percentile", name,
			1e3*stats.Of(r.Snapshot).Median, 1e3*stats.Of(r.Scrape).Median, 1e6**held.HoldP99)
	}
	return nil
}

func look(ctx context.Context, path string, n int) (*snapshotResult, error) {
	cmd := exec.CommandContext(ctx, path, "-connections", fmt.Sprint(n))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(stderr.String()))
	}
	var r snapshotResult
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&r); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return &r, nil
}
