package documents

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/fastdrain/fastdrain/internal/project"
	"github.com/fastdrain/fastdrain/tests/internal/consumer"
)

func pinned(t *testing.T) string {
	t.Helper()
	p, err := project.Find(root)
	if err != nil {
		t.Fatal(err)
	}
	pin, err := p.Pin()
	if err != nil {
		t.Fatal(err)
	}
	return pin.Version
}

// The Makefile, which builds the command and so cannot ask it, reads the pin as the
// command does.
func TestMakeReadsThePin(t *testing.T) {
	t.Setenv("MAKEFLAGS", "") // of the make that runs this test, which would warn of its jobs
	out, err := consumer.Run(root, "make", "--silent", "--no-print-directory", "pinned")
	if err != nil {
		t.Fatal(err)
	}
	if have, want := strings.TrimSpace(out), pinned(t); have != want {
		t.Errorf("make pinned says %q, and the pin is %q", have, want)
	}
}

// What git does not list cannot be checked, in an archive of the sources for example,
// and that is no success.
func TestMakeFormatsNothingWithoutAClone(t *testing.T) {
	t.Setenv("MAKEFLAGS", "")
	t.Setenv("GIT_DIR", t.TempDir())
	out, err := consumer.Run(root, "make", "--no-print-directory", "fmt-check")
	if err == nil || !strings.Contains(out+err.Error(), "is this a clone?") {
		t.Errorf("make fmt-check says %v, and:\n%s", err, out)
	}
}

// Whoever of us requires fasthttp requires the pinned version: a replace directive
// hides any other.
func TestOurModulesRequireThePinnedVersion(t *testing.T) {
	out, err := consumer.Run(root, "git", "ls-files", "go.mod", "*/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want, found := pinned(t), 0
	for _, name := range strings.Fields(out) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		} else if err != nil {
			t.Fatal(err)
		}
		file, err := modfile.Parse(name, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range file.Require {
			if r.Mod.Path != consumer.Fasthttp {
				continue
			}
			found++
			if r.Mod.Version != want {
				t.Errorf("%s requires fasthttp %s, and the pin is %s", name, r.Mod.Version, want)
			}
		}
	}
	if found == 0 {
		t.Error("no module of ours requires fasthttp: this test looks at the wrong place")
	}
}
