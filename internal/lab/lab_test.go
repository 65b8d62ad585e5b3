//go:build unix

package lab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/internal/process"
)

// projectRoot is the checkout that the tests run in.
const projectRoot = "../.."

// The control: if upstream's server lost nothing here, the lab could not see
// what it is made to see.
func TestUpstreamLosesRequests(t *testing.T) {
	server, err := Build(t.Context(), root(t), Upstream)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"keepalive", "pipeline"} {
		s := scenarioNamed(t, name)
		r := newResult(cell{s, Upstream})
		// A stop can be lucky.
		const most = 20
		for r.Stops < most && r.Lost == 0 {
			one, err := runner{exitBound: exitBound}.run(t.Context(), process.Command{Path: server}, s)
			if err != nil {
				t.Fatal(err)
			}
			r.add(one)
		}
		t.Logf("%s: lost %d in %d stops", name, r.Lost, r.Stops)
		if r.Lost == 0 {
			t.Errorf("%s: upstream lost nothing in %d stops", name, r.Stops)
		}
		if len(r.tally.faults) > 0 {
			t.Errorf("%s: faults:%s", name, r.tally.faults.list())
		}
	}
}

// The short lab: the scenarios whose limit is neither a time nor a comparison.
// The others are for `fastdrain lab`.
func TestPatchedServerKeepsItsLimits(t *testing.T) {
	const rounds = 2
	file := filepath.Join(t.TempDir(), "lab.json")
	var out, progress strings.Builder
	err := Run(t.Context(), Options{
		Root:      root(t),
		Scenarios: []string{"keepalive", "idle", "pool", "pipeline", "greedy", "slow"},
		Variants:  []string{Patched},
		Rounds:    rounds,
		JSONFile:  file,
		Out:       &out,
		Progress:  &progress,
	})
	t.Logf("%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(progress.String(), "\n"); n < 7 {
		t.Errorf("%d lines of progress, want at least one for the build and one for each row:\n%s", n, progress.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var results []Result
	if err := json.Unmarshal(text, &results); err != nil {
		t.Fatal(err)
	}
	if len(results) != 6 {
		t.Fatalf("%d results in the JSON file, want 6", len(results))
	}
	for _, r := range results {
		if r.Stops != rounds || r.Connections == 0 || r.Requests == 0 {
			t.Errorf("%s: %d stops, %d connections, %d requests; want %d stops and some work", r.Scenario, r.Stops, r.Connections, r.Requests, rounds)
		}
	}
}

func TestPatchedCopyThatIsNotThereIsAnError(t *testing.T) {
	fresh := t.TempDir() // as a clone is before make
	if err := os.CopyFS(filepath.Join(fresh, "examples"), os.DirFS(filepath.Join(projectRoot, "examples"))); err != nil {
		t.Fatal(err)
	}
	_, err := Build(t.Context(), fresh, Patched)
	if err == nil || !strings.Contains(err.Error(), "make server") {
		t.Errorf("error %v, want one that says `make server`", err)
	}
}

func root(t *testing.T) string {
	t.Helper()
	abs, err := filepath.Abs(projectRoot)
	if err != nil {
		t.Fatal(err)
	}
	// The go command caches a passed test by the files that the test itself has
	// opened, and does not know what the servers were built from. Reading the
	// directories makes a changed server test anew.
	for _, dir := range []string{"server", "examples/hello"} {
		if _, err := os.ReadDir(filepath.Join(abs, dir)); err != nil {
			t.Fatalf("%v (is the patched copy there? run `make server`)", err)
		}
	}
	return abs
}

func scenarioNamed(t *testing.T, name string) *scenario {
	t.Helper()
	for i := range scenarios {
		if scenarios[i].name == name {
			return &scenarios[i]
		}
	}
	t.Fatalf("no scenario %q", name)
	return nil
}
