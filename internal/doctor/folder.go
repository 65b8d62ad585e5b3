package doctor

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fastdrain/fastdrain/internal/stamp"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// Folder is a copy on disk.
type Folder struct {
	// Dir is its path.
	Dir string
	// Stamp is what a program that is built with it now gets, nil if it holds
	// none.
	Stamp *stamp.Stamp
	// Edited are files that are not what fastdrain wrote, missing ones and new
	// Go files among them, by path in the folder.
	Edited []string
}

// findFolder finds the folder that the go.mod of the main module, or a go.work
// above it, replaces the module by: a path that is relative to that file. It is
// nil if the file is in none of the directories and nowhere above them, or if the
// folder is not one that fastdrain wrote.
func findFolder(main, path string, dirs []string) (*Folder, error) {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return readFolder(path)
	}
	for _, dir := range dirs {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		for {
			if isMain(dir, main) || exists(filepath.Join(dir, "go.work")) {
				if f, err := readFolder(filepath.Join(dir, path)); f != nil || err != nil {
					return f, err
				}
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	return nil, nil
}

func isMain(dir, path string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && modfile.ModulePath(text) == path
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// readFolder compares a copy with its manifest. It is nil if there is none.
func readFolder(dir string) (*Folder, error) {
	m, err := tree.Load(dir)
	if err != nil || m == nil {
		return nil, err
	}
	f := &Folder{Dir: dir}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		text, regular, err := tree.ReadRegular(dir, name)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && !regular:
			f.Edited = append(f.Edited, name)
		case err != nil:
			return nil, err
		case tree.Sum(text) != m.Files[name].Sum && tree.Sum(withoutCR(text)) != m.Files[name].Sum:
			f.Edited = append(f.Edited, name)
		}
	}
	err = tree.Walk(dir, func(name string, d fs.DirEntry) error {
		if !d.IsDir() && strings.HasSuffix(name, ".go") && !known(m, name) {
			f.Edited = append(f.Edited, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(f.Edited)
	if file := filepath.Join(dir, stamp.FileName); exists(file) {
		if f.Stamp, _, err = stamp.Scan(file); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func known(m *tree.Manifest, name string) bool {
	_, ok := m.Files[name]
	return ok
}

// withoutCR undoes what git does to text files where core.autocrlf is set.
func withoutCR(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }
