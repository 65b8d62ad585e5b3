package tree

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files makes contents of alternating names and texts.
func files(namesAndTexts ...string) map[string][]byte {
	m := map[string][]byte{}
	for i := 0; i < len(namesAndTexts); i += 2 {
		m[namesAndTexts[i]] = []byte(namesAndTexts[i+1])
	}
	return m
}

// sync writes files and fails the test if that fails.
func syncFiles(t *testing.T, dir string, f map[string][]byte) Changes {
	t.Helper()
	c, err := Sync(Plan{Dir: dir, Files: f, Inputs: "inputs", Times: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// onDisk reads the files of a directory that are not of this package's own use.
func onDisk(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ManifestName {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		m[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wantOnDisk(t *testing.T, dir string, namesAndTexts ...string) {
	t.Helper()
	want := map[string]string{}
	for name, text := range files(namesAndTexts...) {
		want[name] = string(text)
	}
	if got := onDisk(t, dir); !maps.Equal(got, want) {
		t.Errorf("the directory holds %q, want %q", got, want)
	}
}

func TestSyncWritesUpdatesAndRemoves(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if c := syncFiles(t, dir, files("a", "1", "d/e/b", "2")); !slices.Equal(c.Written, []string{"a", "d/e/b"}) {
		t.Errorf("written: %q", c.Written)
	}
	wantOnDisk(t, dir, "a", "1", "d/e/b", "2")
	if info, err := os.Stat(filepath.Join(dir, "a")); err != nil || info.Mode().Perm() != 0o444 {
		t.Errorf("a is not read-only: %v %v", info.Mode(), err)
	}
	if c := syncFiles(t, dir, files("a", "1", "d/e/b", "2")); !c.None() {
		t.Errorf("the second time did %+v", c)
	}
	c := syncFiles(t, dir, files("a", "3", "c", "4"))
	if !slices.Equal(c.Written, []string{"a", "c"}) || !slices.Equal(c.Removed, []string{"d/e/b"}) {
		t.Errorf("the third time did %+v", c)
	}
	wantOnDisk(t, dir, "a", "3", "c", "4")
	if _, err := os.Stat(filepath.Join(dir, "d")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the empty folder d is still there: %v", err)
	}
}

func TestSyncLeavesForeignFilesAlone(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "mine"), []byte("mine"), 0o644)
	syncFiles(t, dir, files("a", "1"))
	_, err := Sync(Plan{Dir: dir, Files: files("a", "2", "mine", "theirs")})
	var foreign *ForeignError
	if !errors.As(err, &foreign) || !slices.Equal(foreign.Files, []string{"mine"}) {
		t.Errorf("got %v, want mine in the way", err)
	}
	wantOnDisk(t, dir, "a", "1", "mine", "mine")
	syncFiles(t, dir, files())
	wantOnDisk(t, dir, "mine", "mine")
}

func TestSyncNamesAllEditedFiles(t *testing.T) {
	dir := t.TempDir()
	syncFiles(t, dir, files("a", "1", "b", "2", "c", "3"))
	for _, name := range []string{"a", "c"} {
		os.Remove(filepath.Join(dir, name))
		os.WriteFile(filepath.Join(dir, name), []byte("edited"), 0o644)
	}
	_, err := Sync(Plan{Dir: dir, Files: files("a", "1", "b", "5")})
	var edited *EditedError
	if !errors.As(err, &edited) || !slices.Equal(edited.Files, []string{"a", "c"}) {
		t.Fatalf("got %v, want a and c edited", err)
	}
	if !strings.Contains(err.Error(), "(and so is c)") {
		t.Errorf("the message does not name c: %v", err)
	}
	wantOnDisk(t, dir, "a", "edited", "b", "2", "c", "edited")
}

// An edit that makes a file what it would become anyway is none.
func TestSyncTakesFilesThatAreRightAlready(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "a"), []byte("1"), 0o644)
	if c := syncFiles(t, dir, files("a", "1")); !c.None() {
		t.Errorf("did %+v", c)
	}
	if c := syncFiles(t, dir, files("a", "2")); !slices.Equal(c.Written, []string{"a"}) {
		t.Errorf("a was not taken over: %+v", c)
	}
}

// An update that is killed leaves some files new and some old. The next one has
// to take both for ours, also if it is to write something else by then.
func TestSyncAfterAnInterruptedOne(t *testing.T) {
	for _, c := range []struct {
		name  string
		next  map[string][]byte
		first bool // the interrupted update was the first
	}{
		{"the same", files("a", "2", "b", "2", "new", "2"), false},
		{"another", files("a", "3", "b", "3", "new", "3"), false},
		{"the one before", files("a", "1", "b", "1", "old", "1"), false},
		{"the first, the same", files("a", "2", "b", "2", "new", "2"), true},
		{"the first, another", files("a", "3", "b", "3"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if !c.first {
				syncFiles(t, dir, files("a", "1", "b", "1", "old", "1"))
			}
			interrupt(t, dir, files("a", "2", "b", "2", "new", "2"), "b")
			if Current(dir, "inputs") {
				t.Error("the interrupted directory is taken for current")
			}
			// Again, to something else: nothing of the first may be forgotten.
			interrupt(t, dir, files("0", "x", "a", "x", "b", "x"), "a")
			syncFiles(t, dir, c.next)
			var want []string
			for name, text := range c.next {
				want = append(want, name, string(text))
			}
			wantOnDisk(t, dir, want...)
			if !Current(dir, "inputs") {
				t.Error("the completed directory is not current")
			}
		})
	}
}

// interrupt begins an update that ends before the named file is replaced.
func interrupt(t *testing.T, dir string, f map[string][]byte, before string) {
	t.Helper()
	killed := errors.New("killed")
	_, err := Sync(Plan{Dir: dir, Files: f, Inputs: "inputs", Times: true, beforeReplace: func(name string) error {
		if name == before {
			return killed
		}
		return nil
	}})
	if !errors.Is(err, killed) {
		t.Fatalf("the update was not interrupted before %s: %v", before, err)
	}
}

func TestExclusiveRefusesForeignDirectories(t *testing.T) {
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "empty", "folders"), 0o755)
	plan := Plan{Dir: dir, Files: files("a", "1"), Exclusive: true}
	if _, err := Sync(plan); err != nil {
		t.Fatalf("empty folders: %v", err)
	}
	os.WriteFile(filepath.Join(dir, "mine"), nil, 0o644)
	if _, err := Sync(plan); err != nil {
		t.Errorf("a directory that we wrote into, and somebody else after us: %v", err)
	}
	other := t.TempDir()
	os.MkdirAll(filepath.Join(other, "d"), 0o755)
	os.WriteFile(filepath.Join(other, "d", "mine"), nil, 0o644)
	plan.Dir = other
	_, err := Sync(plan)
	var foreign *ForeignError
	if !errors.As(err, &foreign) || !foreign.NoManifest || !slices.Equal(foreign.Files, []string{"d/mine"}) {
		t.Errorf("got %v, want d/mine to be named", err)
	}
	wantOnDisk(t, other, "d/mine", "")
}

func TestCurrentSeesEveryChange(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"deleted": func(dir string) error { return os.Remove(filepath.Join(dir, "a")) },
		"edited":  func(dir string) error { return rewrite(dir, "a", "2") },
		"grown":   func(dir string) error { return rewrite(dir, "a", "11") },
		"a folder now": func(dir string) error {
			os.Remove(filepath.Join(dir, "a"))
			return os.Mkdir(filepath.Join(dir, "a"), 0o755)
		},
		"interrupted": func(dir string) error { return saveJSON(filepath.Join(dir, pendingName), map[string][]string{}) },
		"manifest":    func(dir string) error { return os.Remove(filepath.Join(dir, ManifestName)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			syncFiles(t, dir, files("a", "1"))
			if !Current(dir, "inputs") {
				t.Fatal("not current at the start")
			}
			if Current(dir, "other inputs") {
				t.Error("current with other inputs")
			}
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			if Current(dir, "inputs") {
				t.Error("still current")
			}
		})
	}
}

func rewrite(dir, name, text string) error {
	return WriteFile(filepath.Join(dir, name), []byte(text), 0o444)
}

func TestFileWithTheSameContentButAnotherTimeIsCurrent(t *testing.T) {
	dir := t.TempDir()
	syncFiles(t, dir, files("a", "1"))
	if err := rewrite(dir, "a", "1"); err != nil {
		t.Fatal(err)
	}
	if !Current(dir, "inputs") {
		t.Error("not current")
	}
}

func TestWriteFileLeavesNothingBehindWhenItFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "a"), []byte("1"), 0o644); err == nil {
		t.Error("a folder was replaced by a file")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v (%v), want the folder alone", entries, err)
	}
}
