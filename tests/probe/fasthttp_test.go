//go:build linux

package probe

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/probe"
	"github.com/fastdrain/fastdrain/tests/internal/sources"
)

// servedLine is the last line of the example servers.
var servedLine = regexp.MustCompile(`(?m)^served (\d+) requests`)

// example builds an example server and returns the service, and what its processes
// say that they have executed.
func example(t *testing.T, variant string) (s probe.Subject, executed func() int) {
	t.Helper()
	path := buildExample(t, variant)
	out := filepath.Join(t.TempDir(), "out")
	// With exec the signal reaches it.
	s = probe.Subject{Title: variant, Command: []string{"sh", "-c", `exec "$0" -addr 127.0.0.1:0 >>"$1"`, path, out}}
	return s, func() (n int) {
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range servedLine.FindAllSubmatch(text, -1) {
			one, err := strconv.Atoi(string(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			n += one
		}
		return n
	}
}

func buildExample(t *testing.T, variant string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sources.DependOn(t, root, "server", "examples/hello", "examples/nethttp")
	path, err := lab.Build(t.Context(), root, variant)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// fits holds the counts against the number of requests that the server executed.
func fits(t *testing.T, r *probe.Result, executed int) {
	t.Helper()
	least := r.Answered + r.Checks
	if executed < least || executed > least+r.Lost+r.Unfinished {
		t.Errorf("the server executed %d; %d were answered, %d lost and %d unfinished, and %d sent for the check",
			executed, r.Answered, r.Lost, r.Unfinished, r.Checks)
	}
}

// TestThePatchedCopyLosesNothing stops it, and wants the verdict.
func TestThePatchedCopyLosesNothing(t *testing.T) {
	t.Parallel()
	s, executed := example(t, lab.Patched)
	o := options()
	o.SlowPath = "/?sleep=200ms"
	o.Profile = probe.Profile{Kinds: probe.Kinds(), Connections: 60, Rate: 600}
	if *full {
		o.Rounds, o.Profile.Connections, o.Profile.Rate = 10, 200, 5000
	}
	r := mustRun(t, s, o)
	if r.Lost != 0 {
		t.Errorf("%d lost", r.Lost)
	}
	if n := executed(); n != r.Answered+r.Checks {
		t.Errorf("the server executed %d; %d were answered, and %d sent for the check", n, r.Answered, r.Checks)
	}
	wantDiagnoses(t, r, []string{probe.AllAnswered})
}

// untilLost probes until something is lost, as a stop can be lucky.
func untilLost(t *testing.T, s probe.Subject, o probe.Options, executed func() int) *probe.Result {
	t.Helper()
	o.Rounds = 5
	sumOfAll := 0
	for range 10 {
		r := mustRun(t, s, o)
		if executed != nil {
			fits(t, r, executed()-sumOfAll)
			sumOfAll = executed()
		}
		if r.Lost > 0 {
			return r
		}
	}
	t.Fatal("nothing was lost in 50 stops")
	return nil
}

// TestUpstreamLoses is the control.
func TestUpstreamLoses(t *testing.T) { wantLoss(t, lab.Upstream) }

// TestNetHTTPLoses does the same with the standard library's server, whose Shutdown
// closes idle connections under its clients.
func TestNetHTTPLoses(t *testing.T) { wantLoss(t, lab.NetHTTP) }

func wantLoss(t *testing.T, variant string) {
	t.Helper()
	onlyFull(t)
	s, executed := example(t, variant)
	o := options()
	o.Profile = probe.Profile{Kinds: []probe.Kind{probe.Busy, probe.Pool, probe.New}, Connections: 200, Rate: 5000}
	r := untilLost(t, s, o, executed)
	if !says(r, probe.Kept) && !says(r, probe.First) {
		t.Errorf("it says neither %q nor %q", probe.Kept, probe.First)
	}
	wantDiagnoses(t, r, nil, probe.Kept, probe.First)
}
