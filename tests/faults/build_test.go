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
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "server", "server.go")); err != nil {
		t.Fatalf("the patched copy is not there: run `make server` first (%v)", err)
	}
	b := variant.Builder{Root: root, Dir: t.TempDir()}
	mod, version, err := b.UpstreamModfile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	overlay := writeOverlay(t, b)
	build := func(name string, want func(variant.Contents) bool, tags string, flags ...string) string {
		path := filepath.Join(b.Dir, name)
		args := append([]string{"build", "-race", "-overlay", overlay, "-tags", tags, "-o", path}, flags...)
		if _, err := b.Go(t.Context(), append(args, "./tests/faults/probe")...); err != nil {
			t.Fatalf("building the probe: %v", err)
		}
		if c, err := variant.Inspect(path); err != nil || !want(c) {
			t.Fatalf("the probe %s contains %v (%v)", name, c, err)
		}
		return path
	}
	patched = build("patched", func(c variant.Contents) bool { return c.Replaced == "./server" && c.Tagged }, variant.Tag+",clockjump")
	upstream = build("upstream", func(c variant.Contents) bool { return c.Fasthttp == version && c.Replaced == "" && !c.Tagged }, "clockjump", "-modfile", mod)
	return patched, upstream
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
