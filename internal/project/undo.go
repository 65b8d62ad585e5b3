package project

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// undoName is the name of the note in a copy that says what the go.mod and
// go.sum of its users were before.
const undoName = ".fastdrain.undo.json"

// before is what a module was before it had the copy.
type before struct {
	GoMod string  `json:"go.mod"`
	GoSum *string `json:"go.sum"` // nil if there was none
}

// notes are by the path of the go.mod from the copy's directory.
type notes map[string]before

func readNotes(dir string) (notes, error) {
	file := filepath.Join(dir, undoName)
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
	file := filepath.Join(dir, undoName)
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

// noteBefore notes what a go.mod and its go.sum are, unless that is known: what
// they were before the first call is what counts.
func noteBefore(dir, goMod string) error {
	n, err := readNotes(dir)
	if err != nil {
		return err
	}
	key, err := noteKey(dir, goMod)
	if err != nil {
		return err
	}
	if _, ok := n[key]; ok {
		return nil
	}
	text, err := os.ReadFile(goMod)
	if err != nil {
		return err
	}
	b := before{GoMod: string(text)}
	switch sums, err := os.ReadFile(goSum(goMod)); {
	case err == nil:
		s := string(sums)
		b.GoSum = &s
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	n[key] = b
	return n.write(dir)
}

func noteKey(dir, goMod string) (string, error) {
	rel, err := filepath.Rel(dir, goMod)
	return filepath.ToSlash(rel), err
}

func goSum(goMod string) string { return filepath.Join(filepath.Dir(goMod), "go.sum") }

// restore takes back what vendor and the go command have done to a go.mod for
// the copy, whose own go.mod is ours. It says whether the result means what
// the old go.mod means.
//
// The go command has raised the requirements of the copy, dropped those that
// only upstream's version had, and perhaps raised the go line. All of these go
// back to what they were. What else is different has been done by somebody.
func restore(now, old, ours *modfile.File, module string) (exact bool, err error) {
	for _, r := range append([]*modfile.Replace(nil), now.Replace...) {
		if r.Old.Path == module {
			if err := now.DropReplace(r.Old.Path, r.Old.Version); err != nil {
				return false, err
			}
		}
	}
	for _, r := range old.Replace {
		if r.Old.Path == module {
			if err := now.AddReplace(r.Old.Path, r.Old.Version, r.New.Path, r.New.Version); err != nil {
				return false, err
			}
		}
	}
	if old.Go != nil && now.Go != nil && ours.Go != nil && now.Go.Version == ours.Go.Version {
		if err := now.AddGoStmt(old.Go.Version); err != nil {
			return false, err
		}
	}
	was, is := requirements(old), requirements(now)
	for path := range requirements(ours) {
		delete(is, path)
		if r, ok := was[path]; ok {
			is[path] = r
		}
	}
	for path, r := range was {
		if _, ok := is[path]; !ok && (r.indirect || path == module) {
			is[path] = r
		}
	}
	if r, ok := was[module]; ok {
		is[module] = r
	} else if is[module].indirect {
		delete(is, module)
	}
	var reqs []*modfile.Require
	exact = len(is) == len(was)
	for path, r := range is {
		exact = exact && was[path] == r
		req := &modfile.Require{Indirect: r.indirect}
		req.Mod.Path, req.Mod.Version = path, r.version
		reqs = append(reqs, req)
	}
	now.SetRequireSeparateIndirect(reqs)
	now.Cleanup() // dropped lines are empty until then
	return exact && sameRest(now, old), nil
}

type requirement struct {
	version  string
	indirect bool
}

func requirements(file *modfile.File) map[string]requirement {
	reqs := map[string]requirement{}
	for _, r := range file.Require {
		reqs[r.Mod.Path] = requirement{r.Mod.Version, r.Indirect}
	}
	return reqs
}

// sameRest compares all that is not a requirement.
func sameRest(a, b *modfile.File) bool {
	text := func(f *modfile.File) string {
		s := ""
		if f.Module != nil {
			s += fmt.Sprintln(f.Module.Mod)
		}
		if f.Go != nil {
			s += fmt.Sprintln("go", f.Go.Version)
		}
		if f.Toolchain != nil {
			s += fmt.Sprintln("toolchain", f.Toolchain.Name)
		}
		for _, r := range f.Replace {
			s += fmt.Sprintln("replace", r.Old, r.New)
		}
		for _, e := range f.Exclude {
			s += fmt.Sprintln("exclude", e.Mod)
		}
		for _, r := range f.Retract {
			s += fmt.Sprintln("retract", r.Low, r.High)
		}
		for _, t := range f.Tool {
			s += fmt.Sprintln("tool", t.Path)
		}
		for _, g := range f.Godebug {
			s += fmt.Sprintln("godebug", g.Key, g.Value)
		}
		for _, i := range f.Ignore {
			s += fmt.Sprintln("ignore", i.Path)
		}
		return s
	}
	return text(a) == text(b)
}
