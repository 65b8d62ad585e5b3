package faults

import (
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/variant"
)

var (
	//go:embed clock.md
	clockPatch []byte
	//go:embed clock.go.txt
	clockFile []byte
)

// buildProbes builds the command with the patched copy and with upstream's
// fasthttp, both with the race detector and a clock that can be moved.
func buildProbes(t *testing.T) (patched, upstream string) {
	t.Helper()
	b := variant.Builder{Root: module(t), Dir: t.TempDir(), Tags: []string{"clockjump"}}
	overlay := writeOverlay(t, b)
	build := func(side variant.Side) string {
		path := filepath.Join(b.Dir, side.Name)
		if err := b.Build(t.Context(), side, path, "./faults/probe", "-race", "-overlay", overlay); err != nil {
			t.Fatalf("building the probe: %v", err)
		}
		return path
	}
	return build(variant.Patched), build(variant.Upstream)
}

// module is the directory of the module of the tests.
func module(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// writeOverlay writes a package time whose wall clock can be moved, and returns
// the path of the file that go build -overlay takes.
func writeOverlay(t *testing.T, b variant.Builder) string {
	t.Helper()
	out, err := b.Go(t.Context(), "env", "GOROOT")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "src", "time")
	set, err := patch.Parse("clock.md", clockPatch)
	if err != nil {
		t.Fatal(err)
	}
	res, err := set.Apply(os.DirFS(dir))
	if err != nil {
		t.Fatalf("this Go's package time reads the clock in another way; bring clock.md up to date: %v", err)
	}
	replace := map[string]string{}
	put := func(name string, text []byte) {
		path := filepath.Join(b.Dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(dir, name)] = path
	}
	put("time.go", res.Files["time.go"])
	put("jump.go", clockFile)
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(b.Dir, "overlay.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
