package service

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/fastdrain/fastdrain/internal/project"
)

// Copy is the copy that a service is to use.
type Copy struct {
	// Module and Version are what it takes the place of.
	Module, Version string
	// Dir is its folder, which may be still to be made.
	Dir string
	// GoMod and GoSum are the files of these names in it.
	GoMod, GoSum []byte
}

// Adoption is what becomes of the go.mod of a service, found by [Plan].
type Adoption struct {
	// GoMod is the go.mod of the service, empty if there is none.
	GoMod string
	// Line is the line that go.mod needs, and Changed says that go.mod has not
	// got it yet. Replaced are the lines that it takes the place of.
	Line     string
	Changed  bool
	Replaced []string
	// Own says that the go.mod is this project's own, which is left alone.
	Own bool
	// Raised says what else changes: the versions that go.mod asks for, and the
	// go line of the workspace.
	Raised []Raise
	// Guessed says why the go command could not tell which other requirements
	// rise, nil if it could.
	Guessed error
	// Newer is the version that go.mod, or a module in it, asks for, if that is
	// newer than the copy: what is new in it is missing in the copy.
	Newer string
	// Go is the version that the go line asks for.
	Go string
	// VendorDir says that the module has a vendor folder, which the go command
	// wants to be brought up to date.
	VendorDir bool
	// Workspace is the go.work that the module is used in, empty if in none.
	Workspace string

	dir        string
	text, work []byte // nil if they stay as they are
	changes    map[string]change
	needs      map[string]string
}

// Raise is a version before and after. Before is empty where there was none, and
// After where there is none any more.
type Raise struct{ What, Before, After string }

// Plan finds out what it takes for the go.mod of the working directory to use a
// copy; if the folder of the copy is in another module, for the go.mod of that. It
// writes nothing. It is an error if a line there or in a go.work would keep the
// copy from being used.
func Plan(ctx context.Context, c Copy) (*Adoption, error) {
	abs, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	a := &Adoption{dir: abs, changes: map[string]change{}}
	if a.GoMod, err = goModFor(abs); err != nil {
		return nil, err
	}
	if a.Own, err = isOwn(a.GoMod); err != nil {
		return nil, err
	}
	if a.Own && !below(abs, filepath.Dir(a.GoMod)) {
		a.GoMod, a.Own = "", false // run in a clone of this project, for no module
	}
	if a.GoMod == "" {
		a.Line = "replace " + c.Module + " => " + modfile.AutoQuote(filepath.ToSlash(abs))
	}
	if a.GoMod == "" || a.Own {
		return a, nil
	}
	to, err := replacePath(a.GoMod, abs)
	if err != nil {
		return nil, err
	}
	if below(abs, filepath.Join(filepath.Dir(a.GoMod), "vendor")) {
		return nil, fmt.Errorf("%s is in the vendor folder, which go mod vendor makes anew: give a directory elsewhere, such as third_party/%s", c.Dir, path.Base(c.Module))
	}
	a.Line = "replace " + c.Module + " => " + modfile.AutoQuote(to)
	file, err := readGoMod(a.GoMod)
	if err != nil {
		return nil, err
	}
	a.VendorDir = hasVendorDir(a.GoMod)
	var work *modfile.WorkFile
	if a.Workspace, work, err = checkWorkspace(a.GoMod, c.Module, abs); err != nil {
		return nil, err
	}
	before := versions(file)

	for _, r := range file.Replace {
		if r.Old.Path == c.Module && replaceLine(r) != a.Line {
			a.Replaced = append(a.Replaced, replaceLine(r))
		}
	}
	if a.Changed = len(a.Replaced) > 0 || !replaces(file, c.Module, to); a.Changed {
		if err := file.AddReplace(c.Module, "", to, ""); err != nil {
			return nil, err
		}
	}
	if a.needs, a.Guessed, err = raise(ctx, file, c, a.GoMod); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err // nobody wants a guess
	}
	after := versions(file)
	a.Go = after["go"]
	for _, v := range []string{before[c.Module], after[c.Module]} {
		if semver.Compare(v, c.Version) > 0 {
			a.Newer = v
		}
	}
	for _, what := range order(before, after, c.Module) {
		if before[what] != after[what] {
			a.changes[what] = change{before[what], after[what]}
			a.Raised = append(a.Raised, Raise{what, before[what], after[what]})
		}
	}
	if a.Changed || len(a.changes) > 0 {
		if a.text, err = format(file); err != nil {
			return nil, err
		}
	}
	if work != nil {
		if was := raiseWork(work, a.Go); was != "" {
			a.Raised = append(a.Raised, Raise{"go in " + filepath.Base(a.Workspace), was, a.Go})
			a.work = modfile.Format(work.Syntax)
		}
	}
	return a, nil
}

// versions are what a go.mod asks for: by module path, and as "go" and
// "toolchain".
func versions(file *modfile.File) map[string]string {
	v := map[string]string{}
	for path, r := range requirements(file) {
		v[path] = r.Mod.Version
	}
	if g := goOf(file); g != "" {
		v["go"] = g
	}
	if t := toolchainOf(file); t != "" {
		v["toolchain"] = t
	}
	return v
}

// order is the order in which changes are told: the module, Go, the rest.
func order(before, after map[string]string, module string) []string {
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, first := range []string{module, "go", "toolchain"} {
		delete(all, first)
	}
	return append([]string{module, "go", "toolchain"}, slices.Sorted(maps.Keys(all))...)
}

// Files are the files that Write changes.
func (a *Adoption) Files() []string {
	var files []string
	if a.text != nil {
		files = append(files, a.GoMod)
	}
	if a.work != nil {
		files = append(files, a.Workspace)
	}
	return files
}

// Write writes what Plan found, after a note in the folder of the copy, which must
// be there by now.
func (a *Adoption) Write() error {
	if len(a.Files()) == 0 {
		return nil
	}
	if err := a.note(); err != nil {
		return err
	}
	if a.work != nil {
		if err := writeFile(a.Workspace, a.work); err != nil {
			return err
		}
	}
	if a.text != nil {
		return writeFile(a.GoMod, a.text)
	}
	return nil
}

// note notes what is there before Write. What was there before the first time
// is what counts.
func (a *Adoption) note() error {
	all, err := readNotes(a.dir)
	if err != nil {
		return err
	}
	key, err := noteKey(a.dir, a.GoMod)
	if err != nil {
		return err
	}
	n := all[key]
	if n == nil {
		n = &note{}
		all[key] = n
		text, err := os.ReadFile(a.GoMod)
		if err != nil {
			return err
		}
		if !a.Changed { // the line is there, but what was before it is not known
			if text, err = withoutLine(a.GoMod, text, a.Line); err != nil {
				return err
			}
		}
		n.GoMod = string(text)
		if n.GoSum, err = readGoSum(a.GoMod); err != nil {
			return err
		}
	}
	n.update(a.changes)
	n.Copy = a.needs
	if a.work != nil {
		was, err := os.ReadFile(a.Workspace)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(realDir(a.dir), realDir(a.Workspace))
		if err != nil {
			return err
		}
		if n.Work == nil || n.Work.Is != string(was) {
			n.Work = &workNote{File: filepath.ToSlash(rel), Was: string(was)}
		}
		n.Work.Is = string(a.work)
	}
	return all.write(a.dir)
}

// withoutLine is a go.mod without a replace line.
func withoutLine(name string, text []byte, line string) ([]byte, error) {
	file, err := parseGoMod(name, text)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Clone(file.Replace) {
		if replaceLine(r) == line {
			if err := file.DropReplace(r.Old.Path, r.Old.Version); err != nil {
				return nil, err
			}
		}
	}
	return format(file)
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

// isOwn says whether a go.mod is that of this project.
func isOwn(goMod string) (bool, error) {
	if goMod == "" {
		return false, nil
	}
	text, err := os.ReadFile(goMod)
	return err == nil && modfile.ModulePath(text) == project.Module, err
}

func hasVendorDir(goMod string) bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(goMod), "vendor", "modules.txt"))
	return err == nil
}

// Display is a path as a user would write it: from the working directory, if it
// is below that.
func Display(path string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return path
}
