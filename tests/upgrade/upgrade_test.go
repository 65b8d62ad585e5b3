// Package upgrade runs fastdrain upgrade as a maintainer does, on a clone of the
// project that is pinned to the version before, and kills it.
package upgrade

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/project"
)

// The step that is tried: a real one, from a pin that is kept.
const from, to = "v1.77.0", "v1.78.0"

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments at which upgrade is killed")

// run runs a command and returns what it printed.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := command(dir, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// command is a command whose suites are a stub: the real ones take many minutes.
func command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir, "GOWORK=off", "GOFLAGS=", "FASTDRAIN_TEST_SUITES=true",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	return cmd
}

// pinned makes a clone of the project as it is, pinned to the version before, with
// a command built from it.
func pinned(t *testing.T) (dir, bin string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "project")
	names := strings.Split(strings.TrimSuffix(run(t, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00"), "\x00")
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pin, err := os.ReadFile("testdata/pin-" + from + ".json")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "server", "pin.json"), pin, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	bin = filepath.Join(t.TempDir(), "fastdrain")
	run(t, dir, "go", "build", "-o", bin, "./cmd/fastdrain")
	run(t, dir, bin, "vendor")
	for _, module := range []string{"metrics", "examples", "bench", "tools", "tests", "examples/fiber"} {
		run(t, filepath.Join(dir, module), "go", "mod", "edit", "-require=github.com/valyala/fasthttp@"+from)
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), bytes.ReplaceAll(text, []byte(to), []byte(from)), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "git", "init", "-q", ".")
	run(t, dir, "git", "add", "-A")
	run(t, dir, "git", "commit", "-qm", "pinned to "+from)
	return dir, bin
}

func status(t *testing.T, dir string) string { return run(t, dir, "git", "status", "--porcelain") }

func version(t *testing.T, dir string) string {
	p, err := project.At(dir)
	if err != nil {
		t.Fatal(err)
	}
	pin, err := p.Pin()
	if err != nil {
		t.Fatal(err)
	}
	return pin.Version
}

// One command takes the version; killed at whatever moment it leaves the tree as it
// was, or as it shall be, and the next run goes on.
func TestUpgradeIsAllOrNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the copy several times")
	}
	dir, bin := pinned(t)
	if s := status(t, dir); s != "" {
		t.Fatalf("the clone is not clean to begin with:\n%s", s)
	}

	t.Run("a suite that fails changes nothing", func(t *testing.T) {
		cmd := command(dir, bin, "upgrade", to)
		cmd.Env = append(cmd.Env, "FASTDRAIN_TEST_SUITES=false")
		begin := time.Now()
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "\nfastdrain: false: false: exit status 1") || !strings.Contains(string(out), "Nothing has been changed") {
			t.Fatalf("upgrade with a failing suite: %v\n%s", err, out)
		}
		if s := status(t, dir); s != "" {
			t.Errorf("it left:\n%s", s)
		}
		t.Logf("it took %v", time.Since(begin))
	})

	t.Run("killed at ten moments", func(t *testing.T) {
		t.Logf("-seed %d", *seed)
		random := rand.New(rand.NewPCG(*seed, 0))
		for i := range 10 {
			if err := os.RemoveAll(filepath.Join(dir, "build")); err != nil {
				t.Fatal(err)
			}
			cmd := command(dir, bin, "upgrade", to)
			// A suite that takes its time: an upgrade always is under way.
			cmd.Env = append(cmd.Env, "FASTDRAIN_TEST_SUITES=sleep 30")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			after := time.Duration(random.Int64N(int64(8 * time.Second)))
			time.Sleep(after) // the moment is the subject, no event
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if s := status(t, dir); s != "" {
				t.Fatalf("kill %d after %v left:\n%s", i, after, s)
			}
		}
	})

	t.Run("killed between two renames", func(t *testing.T) {
		// As such a moment leaves it: the journal is there, no file is written.
		base := filepath.Join(dir, "build", "upgrade")
		text, _ := json.Marshal(map[string]any{"version": to, "files": map[string][]byte{"a-new-file": []byte("text\n")}})
		if err := os.MkdirAll(base, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(base, "journal.json"), text, 0o644); err != nil {
			t.Fatal(err)
		}
		out, _ := command(dir, bin, "upgrade", from).CombinedOutput()
		if got, err := os.ReadFile(filepath.Join(dir, "a-new-file")); err != nil || string(got) != "text\n" {
			t.Errorf("what the journal says was not written: %q, %v\n%s", got, err, out)
		}
		if _, err := os.Stat(filepath.Join(base, "journal.json")); err == nil {
			t.Error("the journal is still there")
		}
		_ = os.Remove(filepath.Join(dir, "a-new-file"))
	})

	t.Run("to its end", func(t *testing.T) {
		out := run(t, dir, bin, "upgrade", to)
		if v := version(t, dir); v != to {
			t.Fatalf("%s is pinned, want %s\n%s", v, to, out)
		}
		run(t, dir, bin, "vendor")
		for _, module := range []string{".", "metrics", "tests"} {
			run(t, filepath.Join(dir, module), "go", "build", "./...")
		}
		readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
		if err != nil || !bytes.Contains(readme, []byte("v1.76.0 to "+to+" are supported")) || bytes.Contains(readme, []byte(from)) {
			t.Errorf("README.md does not say what is supported now (%v)", err)
		}
		for _, want := range []string{"closeIdleConns", "if{s.stop}", "fastdrain check -read", "CHANGELOG.md"} {
			if !strings.Contains(out, want) {
				t.Errorf("it does not name %s:\n%s", want, out)
			}
		}
		changed := strings.Fields(status(t, dir))
		for _, name := range []string{"server/pin.json", "server/go.mod", "metrics/go.mod", "tests/go.mod", "README.md"} {
			if !strings.Contains(strings.Join(changed, " "), name) {
				t.Errorf("%s has not been written: %v", name, changed)
			}
		}
	})

	t.Run("what has changed is read", func(t *testing.T) {
		if out, err := command(dir, bin, "check").CombinedOutput(); err == nil {
			t.Errorf("check passes though nobody has read what changed:\n%s", out)
		}
		run(t, dir, bin, "check", "-read")
		run(t, dir, bin, "check")
	})
}

// Bad arguments say what to do.
func TestUpgradeRefuses(t *testing.T) {
	root, _ := filepath.Abs("../..")
	bin := filepath.Join(t.TempDir(), "fastdrain")
	run(t, root, "go", "build", "-o", bin, "./cmd/fastdrain")
	for args, want := range map[string]string{
		"upgrade":        "takes one version",
		"upgrade 1.78":   "is not a version",
		"upgrade " + to:  "is pinned already",
		"upgrade v9.9.9": "v9.9.9",
	} {
		out, err := command(root, append([]string{bin}, strings.Fields(args)...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("fastdrain %s: %v, want %q in\n%s", args, err, want, out)
		}
	}
	_ = os.RemoveAll(filepath.Join(root, "build", "upgrade"))
}
