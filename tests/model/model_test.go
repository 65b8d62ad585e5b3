package model

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/tool"
)

// bound is how long a check may take; the largest takes two minutes.
const bound = 10 * time.Minute

func TestModelHolds(t *testing.T) {
	needSpin(t)
	for _, c := range []struct {
		what    string
		defines []string
		compile []string
		run     []string
	}{
		{"two connections, a request each", []string{"CONNS=2", "REQUESTS=1", "NO_WINDOW"}, []string{"-DSAFETY", "-DCOLLAPSE", "-O2"}, []string{"-w26"}},
		{"one connection, three requests, and a scrape", []string{"CONNS=1", "REQUESTS=3", "SNAPSHOT"}, []string{"-DSAFETY"}, nil},
		{"a connection that is no socket, and a drain that gives up", []string{"CONNS=1", "REQUESTS=3", "SNAPSHOT", "OUTSIDE"}, []string{"-DSAFETY", "-O2"}, nil},
		{"no run goes round for ever", []string{"CONNS=1", "REQUESTS=3"}, []string{"-DNP"}, []string{"-l"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			start := time.Now()
			r := check(t, c.defines, c.compile, c.run)
			if r.errors != 0 {
				t.Fatalf("the model does not hold:\n%s", r.output)
			}
			if r.states < 1000 {
				t.Errorf("only %d states: the model does not run\n%s", r.states, r.output)
			}
			t.Logf("%d states in %v, exhaustively: no error", r.states, time.Since(start).Round(time.Second))
		})
	}
}

func TestMutantsFail(t *testing.T) {
	needSpin(t)
	const (
		hangs   = `invalid end state`
		lands   = `assertion violated\s+\( ?!\(c\[i\]\.running\)` // the drain's deadline, on a request
		stays   = `assertion violated\s+\(c\[i\]\.deadline!=`
		early   = `assertion violated\s+stopped` // a wake before there is a stop
		dropped = `assertion violated\s+\( ?!\(there\)`
		useless = `assertion violated\s+!\(late\)` // served, and cannot be answered
		closed  = `assertion violated\s+(!\(c\[0\]\.running\)|\( ?!\(c\[i\]\.closed\)\|\|abandoned)`
		account = `assertion violated\s+\(\( ?!\(c\[i\]\.seen\)\|\|draining`
		total   = `assertion violated\s+\(outcomes==`
		parked  = `assertion violated\s+ !\(\(\(c\[i\]\.seen&&c\[i\]\.tracked\)&&\(c\[i\]\.deadline==` // and nobody wakes it
		second  = `assertion violated\s+!\(c\[i\]\.running\)`                                          // the second wake, on a request
		leaves  = `assertion violated\s+!\(c\[i\]\.lingering\)`                                        // and on a linger
		again   = `assertion violated\s+!\(c\[i\]\.counted\)`
	)
	with := map[string]string{"NO_ASK": "OUTSIDE", "ASK_FREE": "OUTSIDE", "NO_PARK": "OUTSIDE", "NO_LOCK": "NO_WINDOW"}
	for _, m := range []struct{ mutant, what, how string }{
		{"SWAP_MODE", "the drain loads the states before it stores the mode", early + "|" + lands + "|" + hangs},
		{"SWAP_BEGUN", "the drain loads the states before it stores that it has begun", lands + "|" + hangs},
		{"SWAP_COUNT", "the drain stores the mode before it counts the open connections", account},
		{"SWAP_IDLE", "the loop loads the mode before it stores that it is idle", hangs},
		{"SWAP_ACTIVE", "the loop loads the mode before it stores that it is active", lands},
		{"NO_STOP", "the wait does not look for the stop", hangs},
		{"HELD_STOP", "the wait after a request that a response was held back for does not look for the stop", hangs},
		{"LEAVES", "the loop ends at the stop with a response held back and its next request unserved", dropped},
		{"NO_LOCK", "the loop sets a deadline after it has seen the stop, without the lock", stays + "|" + lands},
		{"NO_TAKE", "begin leaves the drain's deadline on the request", stays},
		{"NO_ASK", "begin does not ask whether the drain has closed the connection", useless},
		{"ASK_FREE", "begin asks that without the lock", closed},
		{"NO_LOOK", "the loop closes without a last look", dropped},
		{"NO_MORE", "a response says close without a last look", dropped},
		{"UNTRACKED", "a connection is counted once its loop has begun", total},
		{"SWAP_OVER", "the drain wakes what is parked before it stores that the window is over", parked},
		{"NO_RELOAD", "the loop parks, and does not load once more whether the window is over", parked},
		{"LOOK_EARLY", "the loop loads that before it takes its deadline back", parked},
		{"MARK_LATE", "the loop marks itself as parked after it has loaded that", parked},
		{"NO_PARK", "the drain does not park what it does not wake at the stop", hangs},
		{"WAKE_FREE", "the drain wakes what is parked without the lock", second + "|" + leaves},
		{"NO_UNPARK", "the loop goes on with a request, and keeps its mark", second},
		{"END_FREE", "the loop takes its mark back without the lock", second},
		{"TAKE_EARLY", "the loop sets the request's deadline before it takes its mark back", stays},
		{"KEEPS_MARK", "the loop takes its last look with its mark", dropped},
		{"NO_END", "the loop leaves with its mark", leaves},
		{"USE_EACH", "each wait that ends with a request is counted as a use", again},
	} {
		t.Run(m.mutant, func(t *testing.T) {
			// The second request of a connection is the first to find it idle, and
			// the first that a response is held back for.
			defines := []string{"CONNS=1", "REQUESTS=2", m.mutant}
			if define, ok := with[m.mutant]; ok {
				defines = append(defines, define)
			}
			r := check(t, defines, []string{"-DSAFETY"}, nil)
			if r.errors == 0 || !regexp.MustCompile(m.how).MatchString(r.output) {
				t.Fatalf("%s, and the check does not say %q: the model would not notice\n%s", m.what, m.how, r.output)
			}
			t.Logf("a counterexample after %d states", r.states)
		})
	}
}

type result struct {
	states, errors int
	output         string
}

var (
	statesRE = regexp.MustCompile(`(?m)^\s*(\d+) states, stored`)
	errorsRE = regexp.MustCompile(`errors: (\d+)`)
)

// check has spin write a checker for the model, compiles it and runs it.
func check(t *testing.T, defines, compile, run []string) (r result) {
	t.Helper()
	model, err := filepath.Abs("drain.pml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	args := []string{}
	for _, d := range defines {
		args = append(args, "-D"+d)
	}
	command(t, dir, "spin", append(args, "-a", model)...)
	command(t, dir, "gcc", append(compile, "-w", "-o", "pan", "pan.c")...)
	r.output = command(t, dir, "./pan", append(run, "-m100000")...)
	number := func(re *regexp.Regexp) int {
		m := re.FindStringSubmatch(r.output)
		if m == nil {
			t.Fatalf("the checker says neither states nor errors:\n%s", r.output)
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	r.states, r.errors = number(statesRE), number(errorsRE)
	if regexp.MustCompile(`search not completed|max search depth too small|out of memory`).MatchString(r.output) && r.errors == 0 {
		t.Fatalf("the check is not exhaustive:\n%s", r.output)
	}
	return r
}

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// needSpin installs spin and a C compiler where that is possible.
func needSpin(t *testing.T) {
	t.Helper()
	for _, name := range []string{"spin", "gcc"} {
		if _, err := tool.Find(t.Context(), name, t.Logf); err != nil {
			t.Fatal(err)
		}
	}
}
