package project

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// Replaced says what SetReplace found and did.
type Replaced struct {
	// GoMod is the go.mod of the service, empty if there is none.
	GoMod string
	// Line is the line that go.mod needs.
	Line string
	// Own says that the go.mod is this project's own, which is left alone.
	Own bool
	// Changed says that the line was written. It was there already if not.
	Changed bool
	// Newer is the version that go.mod asks for, if that is newer than the
	// copy: what is new in it is missing in the copy.
	Newer string
	// VendorDir says that the module has a vendor folder, which the go command
	// wants to be brought up to date.
	VendorDir bool
	// Workspace is the go.work that the module is used in, empty if in none.
	Workspace string
}

// SetReplace makes the go.mod that is nearest above dir replace module by dir,
// which holds the given version of it. If there is none above dir, the one of
// the working directory is taken. What go.mod and go.sum are before is noted in
// dir, for [Remove].
func SetReplace(module, version, dir string) (*Replaced, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	r := &Replaced{}
	if r.GoMod, err = goModFor(abs); err != nil {
		return nil, err
	}
	if r.GoMod == "" {
		r.Line = "replace " + module + " => " + filepath.ToSlash(abs)
		return r, nil
	}
	to, err := replacePath(r.GoMod, abs)
	if err != nil {
		return nil, err
	}
	r.Line = "replace " + module + " => " + to
	file, err := readGoMod(r.GoMod)
	if err != nil {
		return nil, err
	}
	if file.Module != nil && file.Module.Mod.Path == Module {
		r.Own = true
		return r, nil
	}
	for _, req := range file.Require {
		if req.Mod.Path == module && semver.Compare(req.Mod.Version, version) > 0 {
			r.Newer = req.Mod.Version
		}
	}
	_, err = os.Stat(filepath.Join(filepath.Dir(r.GoMod), "vendor", "modules.txt"))
	r.VendorDir = err == nil
	if r.Workspace, err = checkWorkspace(r.GoMod, module, abs); err != nil {
		return nil, err
	}
	if replaces(file, module, to) {
		return r, nil
	}
	if err := noteBefore(abs, r.GoMod); err != nil {
		return nil, err
	}
	if err := file.AddReplace(module, "", to, ""); err != nil {
		return nil, err
	}
	r.Changed = true
	return r, writeGoMod(r.GoMod, file)
}

// goModFor is the go.mod that is nearest above dir, or else the nearest to the
// working directory.
func goModFor(dir string) (string, error) {
	if file := findGoMod(filepath.Dir(dir)); file != "" {
		return file, nil
	}
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return findGoMod(wd), nil
}

// findGoMod is the go.mod in dir or the nearest above it.
func findGoMod(dir string) string { return findAbove(dir, "go.mod") }

func findAbove(dir, name string) string {
	for {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
		dir = filepath.Dir(dir)
	}
}

// replacePath is how a go.mod names a directory: relative, as the next clone is
// elsewhere.
func replacePath(goMod, dir string) (string, error) {
	rel, err := filepath.Rel(filepath.Dir(goMod), dir)
	if err != nil {
		return "", err
	}
	rel = filepath.ToSlash(rel)
	if !strings.HasPrefix(rel, "../") {
		rel = "./" + rel
	}
	return rel, nil
}

// replaces says whether a go.mod has exactly this line.
func replaces(file *modfile.File, module, to string) bool {
	for _, r := range file.Replace {
		if r.Old.Path == module && r.Old.Version == "" && r.New.Path == to && r.New.Version == "" {
			return true
		}
	}
	return false
}

func readGoMod(name string) (*modfile.File, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	file, err := modfile.Parse(name, text, nil)
	if err != nil {
		return nil, fmt.Errorf("nothing was changed: %w", err)
	}
	return file, nil
}

func writeGoMod(name string, file *modfile.File) error {
	file.Cleanup()
	text, err := file.Format()
	if err != nil {
		return err
	}
	return tree.WriteFile(name, text, 0o644)
}
