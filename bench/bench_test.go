package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/bench/hot"
	"github.com/fastdrain/fastdrain/bench/internal/binaries"
	"github.com/fastdrain/fastdrain/bench/internal/control"
	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/bench/internal/holders"
	"github.com/fastdrain/fastdrain/bench/internal/lockholds"
	"github.com/fastdrain/fastdrain/bench/internal/process"
	"github.com/fastdrain/fastdrain/bench/internal/serving"
	"github.com/fastdrain/fastdrain/bench/internal/wrk"
	"github.com/fastdrain/fastdrain/internal/project"
	"github.com/fastdrain/fastdrain/internal/tool"
	"github.com/fastdrain/fastdrain/internal/variant"
)

// testBench is a run that builds into a directory of its own.
func testBench(t *testing.T) *bench {
	t.Helper()
	p, err := project.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	// The go command caches a passed test by the files that the test itself has
	// opened, and does not know what the servers were built from.
	for _, dir := range []string{"server", "bench/server"} {
		if _, err := os.ReadDir(filepath.Join(p.Root, dir)); err != nil {
			t.Fatal(err)
		}
	}
	b := &bench{options: &options{rounds: 1}, project: p, build: binaries.New(p.Root), out: t.Output(), err: t.Output(), begun: time.Now()}
	b.build.Dir = t.TempDir()
	return b
}

func TestControlsApplyAndCompile(t *testing.T) {
	b := testBench(t)
	for _, c := range control.Controls {
		dir := filepath.Join(b.build.Dir, c.Name)
		if err := control.Write(t.Context(), b.project, c.Name, dir); err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if _, err := b.build.Tests(t.Context(), variant.Side{Name: c.Name, Copy: dir}, hotPackage); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func TestHoldsAreMeasured(t *testing.T) {
	b := testBench(t)
	dir := filepath.Join(b.build.Dir, "lockholds-copy")
	if err := lockholds.Write(t.Context(), b.project, dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		side variant.Side
		want bool
	}{{variant.Side{Name: "lockholds", Copy: dir}, true}, {variant.Patched, false}} {
		path, err := b.build.Program(t.Context(), c.side, "./snapshot")
		if err != nil {
			t.Fatal(err)
		}
		r, err := look(t.Context(), path, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Snapshot) == 0 || len(r.Scrape) == 0 {
			t.Errorf("%s: nothing was measured: %+v", c.side.Name, r)
		}
		if got := r.HoldP99 != nil; got != c.want {
			t.Errorf("%s: holds are measured: %t, want %t", c.side.Name, got, c.want)
		}
		if c.want && r.HoldP99 != nil && (*r.HoldP99 <= 0 || *r.HoldMax < *r.HoldP99) {
			t.Errorf("a lock is held for %v s at the 99th percentile and %v s at most", *r.HoldP99, *r.HoldMax)
		}
	}
}

func TestStopsOfBothSidesAreMeasured(t *testing.T) {
	b := testBench(t)
	const n = 50
	var sizes []int64
	for _, side := range []variant.Side{variant.Upstream, variant.Patched} {
		path, err := b.build.Program(t.Context(), side, "./server")
		if err != nil {
			t.Fatal(err)
		}
		program, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, program.Size())
		r, err := b.stop(t.Context(), append(process.Alone(), path), n, func(addr string) (clientsOf, error) {
			return holders.Hold(t.Context(), addr, n)
		})
		if err != nil {
			t.Fatalf("%s: %v", side.Name, err)
		}
		if r.Seconds <= 0 || r.memory < 1000 || r.lost != 0 {
			t.Errorf("%s: a stop of %v s, %v bytes for each idle connection, lost %d; want some, some and none", side.Name, r.Seconds, r.memory, r.lost)
		}
	}
	// What only one side links is another layout of all else: a library of metrics was
	// half of a program, and 1 % of its time.
	if u, p := sizes[0], sizes[1]; p < u || p > u+u/5 {
		t.Errorf("upstream's program has %d bytes and the patched one %d: they do not link the same libraries", u, p)
	}
}

func TestEveryWorkloadHasACounterpartOverSockets(t *testing.T) {
	for _, w := range hot.Workloads {
		if _, ok := socketWorkloads[w.Name]; !ok {
			t.Errorf("%s has none", w.Name)
		}
	}
	if len(socketWorkloads) != len(hot.Workloads) {
		t.Errorf("%d workloads over sockets and %d without: one has lost its name", len(socketWorkloads), len(hot.Workloads))
	}
}

func TestCellsOfFiguresThatAreMissingAreEmpty(t *testing.T) {
	if s := fmt.Sprint(up(nil, "%f"), patched(nil, "%f"), ratio(nil, "%f"), interval(nil), milli(nil, upstreamOf), otherOf("hertz")(nil) == nil); s != "true" {
		t.Errorf("got %q", s)
	}
}

// The floor is upstream's processor time and what the server of system calls takes more
// where it drains than where it closes.
func TestStopsHaveAFloor(t *testing.T) {
	b := testBench(t)
	var servers []stoppable
	rounds := map[string][]*stopped{}
	for name, cpu := range map[string]float64{"upstream": 20, "patched": 30, bareClose: 5, bareDrain: 9} {
		servers = append(servers, stoppable{name: name})
		for range 6 {
			rounds[name] = append(rounds[name], &stopped{Stop: serving.Stop{Seconds: 1, CPUSeconds: cpu}})
		}
	}
	b.addStops("idle-5000", servers, rounds, true)
	if got := b.figures.Find("idle-5000", figure.DrainCPU).Others[figure.Floor]; got != 24 {
		t.Errorf("the floor is %v, want 24", got)
	}
}

// The rounds of all workloads together have ratios and no values, and limits like each.
func TestRoundsOfAllWorkloadsTogether(t *testing.T) {
	b := testBench(t)
	var all rounds
	for _, rate := range []int{1000, 1000, 1000, 50_000, 50_000, 50_000} { // two workloads
		for who, share := range [ofControl + 1]int{100, 80, 102} {
			all[who] = append(all[who], loaded{&wrk.Result{Requests: rate * share / 100, Seconds: 1}, 1})
		}
	}
	b.compareLoads(figure.Together, all)
	f := b.figures.Find(figure.Together, figure.WallTime)
	want := (1 / 0.8) / ((1 + 1/1.02) / 2) // of the mean of upstream's two
	if f == nil || f.Upstream != nil || math.Abs(*f.Ratio-want) > 1e-9 || f.Low == nil || f.Runs != 6 || math.Abs(f.Control.Ratio-1/1.02) > 1e-9 {
		t.Fatalf("%+v, want %v of upstream's time in six rounds, the control %v, and no time", f, want, 1/1.02)
	}
	exceeded := 0
	for _, v := range figure.Judge(b.figures, false, figure.WallTime) {
		if v.Exceeded() {
			exceeded++
		}
	}
	if rows := b.socketSection().rows; exceeded != 2 || len(rows) != 1 || rows[0][0] != figure.Together {
		t.Errorf("%d limits are exceeded, want the median's and the upper end's; rows %v", exceeded, rows)
	}
}

// README.md shows what results.json says.
func TestTableOfTheREADMEIsThatOfTheResults(t *testing.T) {
	b := testBench(t)
	figures, err := figure.Set{}.Over("results.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(figures) == 0 {
		t.Fatal("there are no figures")
	}
	readme, err := os.ReadFile(filepath.Join(b.project.Root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	before, after, err := aroundTable(readme)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(readme[len(before):len(readme)-len(after)]), readmeTable(figures); got != want {
		t.Errorf("README.md has\n%s\nand results.json says\n%s\nmake bench-results writes both", got, want)
	}
}

// In turns no two run at a time: without the pauses, their times add up to no more
// than what passed.
func TestTurnsDoNotOverlap(t *testing.T) {
	path, err := tool.Find(t.Context(), "wrk", t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	b := testBench(t)
	b.wrkTime = time.Second
	server, err := b.build.Program(t.Context(), variant.Upstream, "./server")
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	all, err := b.inTurns(t.Context(), [ofControl + 1][]string{{server}, {server}, {server}}, []string{path}, overSockets{}, 1)
	passed := time.Since(begun).Seconds()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, l := range all {
		if l.Requests == 0 || l.Seconds <= 0 || l.cpu <= 0 {
			t.Errorf("of process %d it measured %+v, and %v s of processor time a request", i, l.Result, l.cpu)
		}
		sum += l.Seconds
	}
	if sum > passed {
		t.Errorf("they ran for %.3f s in %.3f s", sum, passed)
	}
}

// The clients' clock runs from their first turn on: the pause before it is not taken from
// what they measured.
func TestFirstTurnComesAfterNoPause(t *testing.T) {
	b := testBench(t)
	path, err := b.build.Program(t.Context(), variant.Upstream, "./server")
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{start: func() (*wrk.Running, error) {
		clients := []string{"sh", "-c", `echo 'figures: {"requests": 1, "seconds": 0.5}'`}
		return wrk.Start(t.Context(), clients, wrk.Load{})
	}}
	defer p.end()
	if p.server, err = process.Start(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := p.pause(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for ended := false; !ended; {
		if ended, err = p.run(); err != nil {
			t.Fatal(err)
		}
	}
	for _, pause := range p.pauses { // it may take more than one turn
		if pause.from.Before(begun) {
			t.Errorf("the pause from %v was before the clients started, after %v", pause.from, begun)
		}
	}
}

// In six rounds each is as often the first, and behind each other, as the others.
func TestOrdersAreBalanced(t *testing.T) {
	first, behind := map[int]int{}, map[[2]int]int{}
	for round := range 6 {
		order := orderOf(round)
		first[order[0]]++
		for k, i := range order {
			behind[[2]int{order[(k+1)%len(order)], i}]++
		}
	}
	for a := range ofControl + 1 {
		if first[a] != 2 {
			t.Errorf("number %d is the first in %d rounds of 6", a, first[a])
		}
		for b := range ofControl + 1 {
			if a != b && behind[[2]int{a, b}] != 3 {
				t.Errorf("number %d is behind %d in %d rounds of 6", a, b, behind[[2]int{a, b}])
			}
		}
	}
}
