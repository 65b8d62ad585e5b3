package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// note is what Plan leaves for Remove about one module.
type note struct {
	// GoMod and GoSum are the files as they were before the first change. GoSum
	// is nil if there was none.
	GoMod string  `json:"go.mod"`
	GoSum *string `json:"go.sum"`
	// Changed says what was changed: by module path, or "go" or "toolchain".
	Changed map[string]change `json:"changed,omitempty"`
	// Copy are the modules that the copy needs, the indirect ones too, and the
	// versions: what the go command may have put in or raised for its sake.
	Copy map[string]string `json:"copy,omitempty"`
	// Work is nil if no go.work was changed.
	Work *workNote `json:"go.work,omitempty"`
}

// change is a version before and after, empty where the line was not there.
type change struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// workNote is what was changed in a go.work.
type workNote struct {
	File string `json:"file"` // from the folder of the copy
	Was  string `json:"was"`
	Is   string `json:"is"`
}

// update adds later changes. Where the last change is still in place, the first
// value is what it goes back to; where somebody has changed it since, theirs is.
func (n *note) update(changes map[string]change) {
	if n.Changed == nil {
		n.Changed = map[string]change{}
	}
	for what, c := range changes {
		if old, ok := n.Changed[what]; ok && old.After == c.Before {
			c.Before = old.Before
		}
		n.Changed[what] = c
	}
}

// notes are by the path of the go.mod from the copy's directory.
type notes map[string]*note

func readNotes(dir string) (notes, error) {
	file := filepath.Join(dir, tree.NoteName)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return notes{}, nil
	}
	if err != nil {
		return nil, err
	}
	n := notes{}
	if err := json.Unmarshal(text, &n); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; remove it and run again", file, err)
	}
	return n, nil
}

func (n notes) write(dir string) error {
	file := filepath.Join(dir, tree.NoteName)
	if len(n) == 0 {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	text, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	return tree.WriteFile(file, append(text, '\n'), 0o644)
}

// users are the go.mod files that the notes are about, but for one.
func (n notes) users(dir, but string) []string {
	var files []string
	for _, key := range slices.Sorted(maps.Keys(n)) {
		if key != but {
			files = append(files, filepath.Join(dir, filepath.FromSlash(key)))
		}
	}
	return files
}

// noteKey is how a note names a go.mod: by the real folders, as a folder may be
// linked from several services.
func noteKey(dir, goMod string) (string, error) {
	goMod, err := filepath.EvalSymlinks(goMod)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(realDir(dir), goMod)
	return filepath.ToSlash(rel), err
}

// realDir is a directory without symbolic links, also one that is still to be
// made.
func realDir(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	if parent := filepath.Dir(dir); parent != dir {
		return filepath.Join(realDir(parent), filepath.Base(dir))
	}
	return dir
}

func goSum(goMod string) string { return filepath.Join(filepath.Dir(goMod), "go.sum") }

// readGoSum is nil if there is none.
func readGoSum(goMod string) (*string, error) {
	text, err := os.ReadFile(goSum(goMod))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := string(text)
	return &s, nil
}
