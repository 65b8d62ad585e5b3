package project

import (
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// Replaced says what SetReplace found and did.
type Replaced struct {
	// GoMod is the go.mod above the directory, empty if there is none.
	GoMod string
	// Line is the line that go.mod needs.
	Line string
	// Own says that the go.mod is this project's own, which is left alone.
	Own bool
	// Changed says that the line was written. It was there already if not.
	Changed bool
}

// SetReplace makes the go.mod that is nearest above dir replace module by dir.
func SetReplace(module, dir string) (*Replaced, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	r := &Replaced{Line: "replace " + module + " => " + filepath.ToSlash(dir)}
	for at := filepath.Dir(abs); ; at = filepath.Dir(at) {
		file := filepath.Join(at, "go.mod")
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			r.GoMod = file
			break
		}
		if at == filepath.Dir(at) {
			r.Line = "replace " + module + " => " + filepath.ToSlash(abs)
			return r, nil
		}
	}
	rel, err := filepath.Rel(filepath.Dir(r.GoMod), abs)
	if err != nil {
		return nil, err
	}
	to := "./" + filepath.ToSlash(rel)
	r.Line = "replace " + module + " => " + to
	data, err := os.ReadFile(r.GoMod)
	if err != nil {
		return nil, err
	}
	file, err := modfile.Parse(r.GoMod, data, nil)
	if err != nil {
		return nil, err
	}
	if file.Module != nil && file.Module.Mod.Path == Module {
		r.Own = true
		return r, nil
	}
	for _, old := range file.Replace {
		if old.Old.Path == module && old.Old.Version == "" && old.New.Path == to && old.New.Version == "" {
			return r, nil
		}
	}
	if err := file.AddReplace(module, "", to, ""); err != nil {
		return nil, err
	}
	file.Cleanup()
	out, err := file.Format()
	if err != nil {
		return nil, err
	}
	r.Changed = true
	return r, tree.WriteFile(r.GoMod, out, 0o644)
}
