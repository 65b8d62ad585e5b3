package upstream

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/project"
	"github.com/fastdrain/fastdrain/internal/tree"
)

var (
	dirFlag      = flag.String("dir", "", "run the suite of the copy in this directory (default: the one of the project, server/)")
	raceFlag     = flag.Bool("with-race", false, "run the suite with -race")
	pristineFlag = flag.Bool("pristine", false, "run the suite of the pristine upstream")
)

// maxSecondRuns is how many tests may get a second run. More than a few failures
// are no accident of timing.
const maxSecondRuns = 5

func TestUpstreamSuite(t *testing.T) {
	if testing.Short() {
		t.Skip("upstream's suite takes a minute")
	}
	ctx := context.Background()
	proj, err := project.At("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := proj.Server()
	if *dirFlag != "" {
		dir = *dirFlag
	}
	if *pristineFlag {
		dir = pristine(t, ctx, proj)
	}
	if _, err := os.Stat(filepath.Join(dir, "LICENSE")); err != nil {
		t.Fatalf("there is no copy of upstream in %s (run make server): %v", dir, err)
	}
	known, err := readKnown("known_failures.txt")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-timeout", "8m"}
	if *raceFlag {
		args = append(args, "-race")
	}

	start := time.Now()
	run, err := goTest(ctx, dir, append(args, "-skip", ourTests(t, proj), "./..."), func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tests passed, %d failed, %d were skipped by themselves, in %.0f s",
		run.count("pass"), run.count("fail"), run.count("skip"), time.Since(start).Seconds())
	// The suite has about a thousand tests, so a handful means that they were
	// not run.
	if n := run.count("pass"); n < 500 {
		t.Errorf("only %d tests passed: was the suite run at all?", n)
	}
	for _, failure := range run.brokenPackages() {
		t.Errorf("%s", failure)
	}

	var again []test
	for _, f := range run.failures() {
		switch reason := run.excused(f, known); {
		case reason != "":
			t.Logf("known: %s: %s", f, reason)
		case run.conclusive(f):
			t.Errorf("%s\n%s", f, run.output[f])
		case !slices.Contains(again, f.top()):
			again = append(again, f.top())
		}
	}
	if len(again) > maxSecondRuns {
		t.Errorf("%d tests failed:", len(again))
		for _, f := range again {
			t.Errorf("%s\n%s", f, run.outputs(f))
		}
		return
	}
	for _, f := range again {
		second, err := goTest(ctx, dir, append(slices.Clone(args), "-count=1", "-run", "^"+regexp.QuoteMeta(f.name)+"$", f.pkg), nil)
		if err != nil {
			t.Fatal(err)
		}
		if second.results[f] == "pass" {
			t.Logf("SECOND RUN NEEDED: %s failed, and passed when run once more alone. The first run said:\n%s", f, run.outputs(f))
			continue
		}
		t.Errorf("%s failed twice, the second time alone:\n%s", f, second.outputs(f))
	}
}

// pristine writes the unpatched upstream and returns its directory.
func pristine(t *testing.T, ctx context.Context, proj *project.Project) string {
	t.Helper()
	c, err := proj.Copy(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, f := range c.Pristine {
		if err := tree.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ourTests is an expression for the names of our tests in server/, which are no
// part of upstream's suite.
func ourTests(t *testing.T, proj *project.Project) string {
	t.Helper()
	ours, err := proj.Ours()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, text := range ours {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Example|Fuzz)\w*)\(`).FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
	}
	if len(names) == 0 {
		return "^$"
	}
	slices.Sort(names)
	return fmt.Sprintf("^(%s)$", strings.Join(names, "|"))
}
