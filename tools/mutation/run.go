package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// testTime is how long a test may take before it is killed. That it was killed
// does not count as a failure: the tests have bounds of their own.
const testTime = 30 * time.Second

// verdict is how a test ended.
type verdict string

const (
	passed verdict = "passed"
	failed verdict = "FAILED"
	panics verdict = "PANIC"
	hung   verdict = "hung"
	absent verdict = "no such test"
)

// proves says whether a verdict shows that the test sees the mutation.
func (v verdict) proves() bool { return v == failed || v == panics }

// build compiles the tests of the copy in dir.
func build(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "mutant.test")
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it does not compile, which proves nothing:\n%s", out)
	}
	return binary, nil
}

// run runs one test and says how it ended, with the first thing that it said.
func run(ctx context.Context, dir, binary, test string) (verdict, string) {
	ctx, cancel := context.WithTimeout(ctx, testTime+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.v", "-test.run", "^"+test+"$", "-test.timeout", testTime.String())
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	text := string(out)
	var exit *exec.ExitError
	switch {
	case err == nil && !strings.Contains(text, "=== RUN   "+test):
		return absent, ""
	case err == nil:
		return passed, ""
	case !errors.As(err, &exit):
		return hung, err.Error()
	case strings.Contains(text, "panic: test timed out") || ctx.Err() != nil:
		return hung, "killed after " + testTime.String()
	}
	if said := firstSaid.FindStringSubmatch(text); said != nil {
		return failed, said[1]
	}
	if said := panicked.FindStringSubmatch(text); said != nil {
		return panics, said[1]
	}
	return failed, ""
}

var (
	firstSaid = regexp.MustCompile(`(?m)^\s+\w+_test\.go:\d+: (.*)$`)
	panicked  = regexp.MustCompile(`(?m)^panic: (.*)$`)
)
