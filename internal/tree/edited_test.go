package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLineEndsOfAnotherSystemAreNoEdit(t *testing.T) {
	dir := t.TempDir()
	syncFiles(t, dir, files("a", "1\n2\n", "b", "1\n"))
	for name, text := range map[string]string{"a": "1\r\n2\r\n", "b": "1\r\n", ManifestName: ""} {
		if name == ManifestName {
			have, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			text = strings.ReplaceAll(string(have), "\n", "\r\n")
		}
		if err := rewrite(dir, name, text); err != nil {
			t.Fatal(err)
		}
	}
	if edited, err := Edited(dir); err != nil || len(edited) > 0 {
		t.Errorf("edited: %q (%v)", edited, err)
	}
	if c := syncFiles(t, dir, files("a", "1\n2\n", "b", "2\n")); !slices.Equal(c.Written, []string{"b"}) {
		t.Errorf("did %+v, want b to be written alone", c)
	}
	rewrite(dir, "a", "1\r\n3\r\n")
	if edited, err := Edited(dir); err != nil || !slices.Equal(edited, []string{"a"}) {
		t.Errorf("edited: %q (%v), want a", edited, err)
	}
}

func TestForceWritesOverEditsAndNamesThem(t *testing.T) {
	dir := t.TempDir()
	syncFiles(t, dir, files("a", "1", "b", "1", "gone", "1"))
	rewrite(dir, "a", "edited")
	rewrite(dir, "gone", "edited")
	plan := Plan{Dir: dir, Files: files("a", "1", "b", "2"), Force: true, DryRun: true}
	c, err := Sync(plan)
	if err != nil || !slices.Equal(c.Edited, []string{"a", "gone"}) || !slices.Equal(c.Written, []string{"a", "b"}) {
		t.Fatalf("a dry run says %+v (%v)", c, err)
	}
	wantOnDisk(t, dir, "a", "edited", "b", "1", "gone", "edited")
	plan.DryRun = false
	if _, err := Sync(plan); err != nil {
		t.Fatal(err)
	}
	wantOnDisk(t, dir, "a", "1", "b", "2")
}

func TestDryRunMakesNoDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if c, err := Sync(Plan{Dir: dir, Files: files("a", "1"), DryRun: true}); err != nil || len(c.Written) != 1 {
		t.Fatalf("%+v (%v)", c, err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is there: %v", err)
	}
}
