package follow

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Each file of an archive that has to be named says so: a line with "<-" at its
// end, which is not in the file that is looked at. What is behind the arrow is in
// what the line is told to do.
func TestFind(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(archive)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			want := map[string]string{} // by "file:line"
			for _, f := range a.Files {
				lines := strings.Split(string(f.Data), "\n")
				for i, line := range lines {
					if text, do, ok := strings.Cut(line, "<-"); ok {
						lines[i] = strings.TrimRight(text, " ")
						want[fmt.Sprintf("%s:%d", f.Name, i+1)] = strings.TrimSpace(do)
					}
				}
				file := filepath.Join(dir, filepath.FromSlash(f.Name))
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			m := Module{Dir: dir, Copy: filepath.Join(dir, "third_party", "fasthttp"), Go: "1.26.0"}
			for line := range strings.Lines(string(a.Comment)) {
				if at, ok := strings.CutPrefix(strings.TrimSpace(line), "module: "); ok {
					m.Dir = filepath.Join(dir, at)
				}
			}
			found, err := Find(m)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range found {
				rel, _ := filepath.Rel(dir, l.File)
				at := fmt.Sprintf("%s:%d", filepath.ToSlash(rel), l.Number)
				do, ok := want[at]
				if !ok || !strings.Contains(l.Do, do) {
					t.Errorf("%s: %s: %q, want %q (%v)", at, l.Text, l.Do, do, ok)
				}
				delete(want, at)
			}
			if len(want) > 0 {
				t.Errorf("not named: %v", want)
			}
		})
	}
}

func TestTooOld(t *testing.T) {
	var old []string
	for _, v := range []string{"1.9", "1.25", "1.25.9-alpine3.20", "1.26.0", "1.26.1", "1.26", "1.26.x", "1.26rc1", "1.27", "latest", "alpine", "", "^1.20", ">=1.20", "stable", "2"} {
		if tooOld(v, "1.26.1") {
			old = append(old, v)
		}
	}
	if want := []string{"1.9", "1.25", "1.25.9-alpine3.20", "1.26.0"}; !slices.Equal(old, want) {
		t.Errorf("too old are %q, want %q", old, want)
	}
}
