package variant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func builder(t *testing.T) Builder {
	t.Helper()
	root, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	return Builder{Root: root, Dir: t.TempDir()}
}

func TestModfilesTakeFasthttpFromWhereTheySay(t *testing.T) {
	b := builder(t)
	before, err := os.ReadFile(filepath.Join(b.Root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	upstream, version, err := b.UpstreamModfile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(filepath.Dir(b.Root), "server") // by its absolute path
	other, err := b.CopyModfile("other", elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		flags []string
		want  Contents
	}{
		{"the checkout's own", nil, Contents{Replaced: "../server"}},
		{"upstream", []string{"-modfile", upstream}, Contents{Fasthttp: version}},
		{"a copy", []string{"-modfile", other, "-tags", Tag}, Contents{Replaced: elsewhere, Tagged: true}},
	} {
		got, err := b.Resolve(t.Context(), c.flags...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.want.Fasthttp == "" {
			c.want.Fasthttp = got.Fasthttp // means nothing where it is replaced
		}
		if got != c.want {
			t.Errorf("%s: %s (tagged: %t), want %s (%t)", c.name, got, got.Tagged, c.want, c.want.Tagged)
		}
	}
	after, err := os.ReadFile(filepath.Join(b.Root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if string(after) != string(before) {
		t.Errorf("go.mod of the checkout has changed to\n%s", after)
	}
}

func TestBinaryWithoutFasthttpIsKnown(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Inspect(exe)
	if err != nil {
		t.Fatal(err)
	}
	if c.Fasthttp != "" || !strings.Contains(c.String(), "no fasthttp") {
		t.Errorf("this test contains %s, want no fasthttp", c)
	}
	for side, want := range map[Side]Contents{
		Upstream: {Fasthttp: "v1.77.0"},
		Patched:  {Replaced: "../server", Tagged: true},
	} {
		if err := want.check(exe, side, c); err == nil {
			t.Errorf("a binary without fasthttp passes as %s", side.Name)
		}
	}
}
