//go:build fiber

package upstream

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/internal/project"
)

// fiberVersion is the Fiber whose tests are run. It asks for an older fasthttp
// than the pinned one, so some of its tests fail on the pristine upstream, too.
const fiberVersion = "v3.1.0"

// maxFiberRuns is how often a test that passes with upstream and fails with the
// copy is run again, alone: many of Fiber's measure time.
const maxFiberRuns = 2

// What passes with upstream passes with the copy, test by test.
func TestFiberSuite(t *testing.T) {
	ctx := context.Background()
	proj, err := project.At("../..")
	if err != nil {
		t.Fatal(err)
	}
	pin, err := proj.Pin()
	if err != nil {
		t.Fatal(err)
	}
	log := func(variant string) func(string) { return func(line string) { t.Logf("%s: %s", variant, line) } }

	before := fiber(t, "-require="+pin.Module+"@"+pin.Version)
	after := fiber(t, "-replace="+pin.Module+"="+proj.Server())
	args := []string{"-timeout", "15m", "-count=1", "./..."}
	upstream, err := goTest(ctx, before, args, log("upstream"))
	if err != nil {
		t.Fatal(err)
	}
	patched, err := goTest(ctx, after, args, log("patched"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("upstream %s: %d tests passed, %d failed, %d were skipped by themselves", pin.Version, upstream.count("pass"), upstream.count("fail"), upstream.count("skip"))
	t.Logf("the copy: %d tests passed, %d failed, %d were skipped by themselves", patched.count("pass"), patched.count("fail"), patched.count("skip"))
	if n := upstream.count("pass"); n < 500 {
		t.Errorf("only %d tests passed with upstream: was the suite run at all?", n)
	}
	var worse []test
	for f, result := range upstream.results {
		if f.name != "" && result == "pass" && patched.results[f] != "pass" && !slices.Contains(worse, f.top()) {
			worse = append(worse, f.top())
		}
	}
	for _, f := range worse {
		again := &testRun{}
		for range maxFiberRuns {
			again, err = goTest(ctx, after, []string{"-timeout", "5m", "-count=1", "-run", "^" + regexp.QuoteMeta(f.name) + "$", f.pkg}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if again.results[f] == "pass" {
				break
			}
		}
		if again.results[f] == "pass" {
			t.Logf("SECOND RUN NEEDED: %s, alone; the first run said:\n%s", f, patched.outputs(f))
			continue
		}
		t.Errorf("%s passes with upstream, and with the copy it says:\n%s", f, again.outputs(f))
	}
}

// fiber is a copy of Fiber, folders with a dot included, whose go.mod is edited.
func fiber(t *testing.T, edits ...string) string {
	t.Helper()
	dir := t.TempDir()
	out := output(t, dir, "mod", "download", "-json", "github.com/gofiber/fiber/v3@"+fiberVersion)
	var module struct{ Dir string }
	if err := json.Unmarshal([]byte(out), &module); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "fiber")
	if err := os.CopyFS(work, os.DirFS(module.Dir)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(work, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o755)
	})
	if err != nil {
		t.Fatal(err)
	}
	output(t, work, append([]string{"mod", "edit"}, edits...)...)
	output(t, work, "mod", "tidy")
	return work
}

// output is what the go command says.
func output(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return string(out)
}
