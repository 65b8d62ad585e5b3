package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/fastdrain/fastdrain/bench/hot"
	"github.com/fastdrain/fastdrain/bench/internal/callgrind"
	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/bench/internal/gobench"
	"github.com/fastdrain/fastdrain/internal/tool"
	"github.com/fastdrain/fastdrain/internal/variant"
)

const (
	hotPackage = "./hot"

	// The lengths of the two runs whose difference is counted. The longer, the
	// less the start of a process, which differs a little from run to run, means.
	shortRun, longRun = 2000, 50000

	// allocRun is the length of a run that counts allocations.
	allocRun = 50000
)

// sides builds a package's test binary for both sides.
func (b *bench) sides(ctx context.Context, pkg string) (upstream, patched string, err error) {
	b.say("building %s for both sides", pkg)
	if upstream, err = b.build.Tests(ctx, variant.Upstream, pkg); err != nil {
		return "", "", fmt.Errorf("building %s with upstream: %w", pkg, err)
	}
	if patched, err = b.build.Tests(ctx, variant.Patched, pkg); err != nil {
		return "", "", fmt.Errorf("building %s with the patched copy: %w", pkg, err)
	}
	return upstream, patched, nil
}

// instructions counts what a request takes: instructions, atomic
// read-modify-writes, and allocations.
func (b *bench) instructions(ctx context.Context) error {
	upstream, patched, err := b.sides(ctx, hotPackage)
	if err != nil {
		return err
	}
	valgrind, err := b.valgrind(ctx)
	if err != nil {
		return err
	}
	for _, w := range b.workloads {
		if w.Scraped > 0 {
			continue // a scrape allocates, and takes its instructions
		}
		if err := b.allocations(ctx, w, upstream, patched); err != nil {
			return err
		}
		if valgrind == "" || !w.Exact {
			continue
		}
		counts, err := countAll(ctx, valgrind, w, b.repeats, upstream, patched)
		if err != nil {
			return err
		}
		b.compareCounts(w, counts[0], counts[1])
	}
	return nil
}

// valgrind finds valgrind. Without it the gate fails, and a run goes on.
func (b *bench) valgrind(ctx context.Context) (string, error) {
	path, err := tool.Find(ctx, "valgrind", b.say)
	switch {
	case err == nil:
		return path, nil
	case b.gate || ctx.Err() != nil:
		return "", err
	}
	b.note("No instructions were counted: %v.", err)
	return "", nil
}

func (b *bench) compareCounts(w *hot.Workload, upstream, patched []*callgrind.Count) {
	u, p := middle(upstream), middle(patched)
	f := figure.New(w.Name, figure.Instructions, u.Instructions, p.Instructions)
	f.Runs = len(patched)
	b.figures = append(b.figures, f)
	if u.Atomics >= 0 {
		// The least of the runs: what the runtime does now and then comes on top.
		u, p = fewest(upstream), fewest(patched)
		f := figure.New(w.Name, figure.Atomics, u.Atomics, p.Atomics)
		f.Runs, f.Sites = len(patched), moreSites(u.Sites, p.Sites)
		b.figures = append(b.figures, f,
			figure.New(w.Name, figure.AtomicSites, float64(len(onEvery(u.Sites))), float64(len(onEvery(p.Sites)))))
	}
	b.say("%-17s %9.1f instructions, upstream %9.1f: %.4f", w.Name, *f.Patched, *f.Upstream, *f.Ratio)
}

// countAll counts the binaries alternately, as many at a time as there are
// processors.
func countAll(ctx context.Context, valgrind string, w *hot.Workload, repeats int, binary ...string) ([][]*callgrind.Count, error) {
	counts := make([][]*callgrind.Count, len(binary))
	errs := make([]error, repeats*len(binary))
	slots := make(chan struct{}, runtime.NumCPU())
	var wg sync.WaitGroup
	for i := range binary {
		counts[i] = make([]*callgrind.Count, repeats)
	}
	for n := range repeats {
		for i, path := range binary {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				p := callgrind.Program{Valgrind: valgrind, Binary: path, Args: func(n int) []string {
					return []string{"-test.run", "^$", "-test.bench", benchPattern(w), "-test.benchtime", fmt.Sprintf("%dx", n)}
				}}
				counts[i][n], errs[n*len(binary)+i] = p.PerRequest(ctx, shortRun, shortRun+longRun/max(1, w.Weight))
			})
		}
	}
	wg.Wait()
	return counts, errors.Join(errs...)
}

func benchPattern(w *hot.Workload) string { return "^BenchmarkHot$/^" + w.Name + "$" }

// middle is the count with the median number of instructions.
func middle(counts []*callgrind.Count) *callgrind.Count {
	counts = slices.Clone(counts)
	slices.SortFunc(counts, func(a, b *callgrind.Count) int {
		return int(a.Instructions*1000) - int(b.Instructions*1000)
	})
	return counts[(len(counts)-1)/2]
}

// fewest is the count with the least atomics.
func fewest(counts []*callgrind.Count) *callgrind.Count {
	return slices.MinFunc(counts, func(a, b *callgrind.Count) int {
		return int(a.Atomics*1000) - int(b.Atomics*1000)
	})
}

// onEvery are the sites that about every second request passes.
func onEvery(sites []callgrind.Site) []callgrind.Site {
	var every []callgrind.Site
	for _, s := range sites {
		if s.PerRequest > 0.5 {
			every = append(every, s)
		}
	}
	return every
}

// moreSites names the functions in which patched executes more atomics.
func moreSites(upstream, patched []callgrind.Site) []string {
	have := map[string]float64{}
	for _, s := range upstream {
		have[s.Function] += s.PerRequest
	}
	sum := map[string]float64{}
	for _, s := range patched {
		sum[s.Function] += s.PerRequest
	}
	var more []string
	for fn, n := range sum {
		if n > have[fn]+0.005 {
			more = append(more, fmt.Sprintf("%s: %.3f, upstream %.3f", fn, n, have[fn]))
		}
	}
	slices.Sort(more)
	return more
}

// allocations counts allocations without garbage collection, which would empty
// the pools.
func (b *bench) allocations(ctx context.Context, w *hot.Workload, upstream, patched string) error {
	var allocs [2][]float64
	for range b.repeats {
		for i, path := range []string{upstream, patched} {
			r, _, err := gobench.Run(ctx, path, benchPattern(w), fmt.Sprintf("%dx", allocRun), "GOGC=off", "GOMAXPROCS=1")
			if err != nil {
				return err
			}
			for _, one := range r {
				if _, ok := one.Values["mallocs/op"]; !ok {
					return fmt.Errorf("%s does not report its allocations", path)
				}
				allocs[i] = append(allocs[i], one.Values["mallocs/op"])
			}
		}
	}
	u, p := slices.Min(allocs[0]), slices.Min(allocs[1])
	f := figure.New(w.Name, figure.Allocs, u, p)
	f.Runs = b.repeats
	b.figures = append(b.figures, f)
	return nil
}
