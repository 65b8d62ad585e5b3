package upstream

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// test is a test or a subtest. Its name is empty for what a package says that
// belongs to none of its tests.
type test struct{ pkg, name string }

func (t test) String() string { return t.pkg + " " + t.name }

// top is the test that a subtest belongs to.
func (t test) top() test {
	name, _, _ := strings.Cut(t.name, "/")
	return test{t.pkg, name}
}

// testRun is what go test -json said.
type testRun struct {
	results map[test]string // pass, fail or skip
	output  map[test]string
	build   strings.Builder // what the compiler said
	stderr  string
}

// goTest runs go test in dir. The error is one of running it; that tests failed
// is none. log is called with a line for each package.
func goTest(ctx context.Context, dir string, args []string, log func(string)) (*testRun, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	run := &testRun{results: map[test]string{}, output: map[test]string{}}
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			run.event(line, log)
		}
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	run.stderr = stderr.String()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	if err != nil && len(run.failures()) == 0 && len(run.brokenPackages()) == 0 {
		return nil, fmt.Errorf("go test: %w, and no test failed:\n%s%s", err, run.build.String(), run.stderr)
	}
	return run, nil
}

func (r *testRun) event(line []byte, log func(string)) {
	var e struct {
		Action, Package, Test, Output string
		Elapsed                       float64
	}
	if json.Unmarshal(line, &e) != nil {
		return
	}
	t := test{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.output[t] += e.Output
	case "build-output":
		r.build.WriteString(e.Output)
	case "pass", "fail", "skip":
		r.results[t] = e.Action
		if e.Test == "" && log != nil && !strings.Contains(r.output[t], "[no test files]") {
			log(fmt.Sprintf("%s %s (%.1f s)", e.Action, e.Package, e.Elapsed))
		}
	}
}

// count is how many tests, subtests not counted, had a result.
func (r *testRun) count(result string) int {
	n := 0
	for t, res := range r.results {
		if t.name != "" && t == t.top() && res == result {
			n++
		}
	}
	return n
}

// failures are the tests that failed, subtests after their tests.
func (r *testRun) failures() []test {
	var failed []test
	for t, res := range r.results {
		if t.name != "" && res == "fail" {
			failed = append(failed, t)
		}
	}
	slices.SortFunc(failed, func(a, b test) int { return strings.Compare(a.String(), b.String()) })
	return failed
}

// brokenPackages describes the packages that failed without one of their tests
// failing: they do not compile, ran out of time, or the process ended.
func (r *testRun) brokenPackages() []string {
	var broken []string
	for t, res := range r.results {
		if t.name != "" || res != "fail" {
			continue
		}
		if !slices.ContainsFunc(r.failures(), func(f test) bool { return f.pkg == t.pkg }) {
			broken = append(broken, fmt.Sprintf("%s failed as a whole:\n%s%s%s%s", t.pkg, r.build.String(), r.output[t], r.unfinished(t.pkg), r.stderr))
		}
	}
	slices.Sort(broken)
	return broken
}

// unfinished names the tests of a package that have no result, and what they
// said: a process that hangs or dies says why in the test that runs then.
func (r *testRun) unfinished(pkg string) string {
	var out strings.Builder
	for t, output := range r.output {
		if t.pkg == pkg && t.name != "" && r.results[t] == "" {
			fmt.Fprintf(&out, "%s did not finish:\n%s\n", t.name, output)
		}
	}
	return out.String()
}

// conclusive says that a failure is not one that a second run could change: a
// race was found, or the test panicked.
func (r *testRun) conclusive(t test) bool {
	for _, mark := range []string{"WARNING: DATA RACE", "race detected", "panic: ", "fatal error: "} {
		if strings.Contains(r.outputs(t.top()), mark) || strings.Contains(r.output[test{t.pkg, ""}], mark) {
			return true
		}
	}
	return false
}

// outputs is what a test and its subtests said, those that passed left out.
func (r *testRun) outputs(t test) string {
	var all []test
	for o := range r.output {
		if o.pkg == t.pkg && (o == t || strings.HasPrefix(o.name, t.name+"/") && r.results[o] != "pass") {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b test) int { return strings.Compare(a.name, b.name) })
	var out strings.Builder
	for _, o := range all {
		out.WriteString(r.output[o])
	}
	return out.String()
}
