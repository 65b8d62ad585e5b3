package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// Removed says what Remove did.
type Removed struct {
	GoMod string
	// Dir is the copy's directory, from the directory of go.mod; Files is how
	// many files were removed there, and Kept names those of somebody else.
	Dir   string
	Files int
	Kept  []string
	// Shared are the go.mod files of other modules that use the copy, which
	// therefore stays.
	Shared []string
	// Noted says that it was known what go.mod was before. If not, only the
	// replace line was taken out.
	Noted bool
	// Added and Gone are the lines in which go.mod differs from what it was;
	// without any it is byte for byte what it was. Why says what is known of the
	// reasons.
	Added, Gone, Why []string
	// Sums is how many lines go.sum has that it had not before; with none it is
	// byte for byte what it was.
	Sums int
	// Work is the go.work that was changed, or that stays changed, as WorkWhy
	// says then.
	Work, WorkWhy string
	// VendorDir says that there is a vendor folder to bring up to date.
	VendorDir bool
}

// Exact says that go.mod and go.sum are byte for byte what they were.
func (r *Removed) Exact() bool { return r.Noted && len(r.Added)+len(r.Gone)+r.Sums == 0 }

// Use is a module that uses a copy.
type Use struct {
	// GoMod is its go.mod, Module what is replaced, and Dir the copy's folder.
	GoMod, Module, Dir string
	line               string
}

// Find finds the copy that the module uses which dir is in.
func Find(dir string) (*Use, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	u := &Use{GoMod: findGoMod(abs)}
	if u.GoMod == "" {
		return nil, fmt.Errorf("there is no go.mod in %s or above it: run in the directory of the service", abs)
	}
	file, err := readGoMod(u.GoMod)
	if err != nil {
		return nil, err
	}
	var release *modfile.Replace
	for _, r := range file.Replace {
		if strings.Contains(r.New.Version, "-fastdrain.") {
			release = r
		}
		if r.New.Version != "" || r.Old.Version != "" {
			continue
		}
		dir := resolvePath(u.GoMod, r.New.Path)
		if m, err := tree.Load(dir); err != nil {
			return nil, err
		} else if m != nil {
			u.Module, u.Dir, u.line = r.Old.Path, dir, replaceLine(r)
			return u, nil
		}
	}
	if release != nil {
		return nil, fmt.Errorf("%s uses a release, %s, of which nothing lies in a folder of yours: take the line out by go mod edit -dropreplace=%s, and run go mod tidy",
			u.GoMod, release.New.Version, strings.TrimSuffix(release.Old.Path+"@"+release.Old.Version, "@"))
	}
	return nil, fmt.Errorf("%s has no replace line to a copy that fastdrain vendor wrote: there is nothing to remove; if that line was taken out by hand, or a remove was interrupted, fastdrain vendor -o with the folder of the copy and then remove take back the rest", u.GoMod)
}

// Remove takes the copy out of the module: the replace line, what else was changed
// in go.mod for its sake, and the files, unless another module uses them. A copy
// that has been edited is an error, and then nothing is changed, unless force says
// to lose the edits.
func (u *Use) Remove(force bool) (*Removed, error) {
	r := &Removed{GoMod: u.GoMod, VendorDir: hasVendorDir(u.GoMod)}
	var err error
	if r.Dir, err = filepath.Rel(filepath.Dir(u.GoMod), u.Dir); err != nil {
		return nil, err
	}
	all, err := readNotes(u.Dir)
	if err != nil {
		return nil, err
	}
	key, err := noteKey(u.Dir, u.GoMod)
	if err != nil {
		return nil, err
	}
	if r.Shared, err = users(u.GoMod, u.Dir, all, key); err != nil {
		return nil, err
	}
	if len(r.Shared) == 0 && !force {
		if err := tree.CheckUnedited(u.Dir); err != nil {
			return nil, err
		}
	}
	n := all[key]
	if r.Noted = n != nil; r.Noted {
		err = u.restore(n, r)
	} else {
		err = u.dropLine()
	}
	if err != nil {
		return nil, err
	}
	delete(all, key)
	if len(r.Shared) > 0 {
		return r, all.write(u.Dir)
	}
	if err := (notes{}).write(u.Dir); err != nil {
		return nil, err
	}
	if r.Files, r.Kept, err = tree.Remove(u.Dir); err != nil {
		return nil, err
	}
	removeFolders(filepath.Dir(u.Dir), filepath.Dir(u.GoMod))
	return r, nil
}

// restore writes go.work, go.sum and go.mod without the copy. go.mod comes last: as
// long as it has the replace line, an interrupted Remove can be repeated. The copy
// goes after it, as a replace line without a copy is a build that fails.
func (u *Use) restore(n *note, r *Removed) error {
	to, err := n.restore(u.GoMod, u.Module, u.line)
	if err != nil {
		return err
	}
	r.Added, r.Gone, r.Why, r.Sums = to.added, to.gone, to.why, to.sums
	var work []byte
	if n.Work != nil {
		if r.Work, work, r.WorkWhy, err = n.Work.restoreWork(u.Dir, u.GoMod, to.goMod); err != nil {
			return err
		}
	}
	if work != nil {
		if err := writeFile(r.Work, work); err != nil {
			return err
		}
	}
	if to.goSum == nil {
		if err := os.Remove(goSum(u.GoMod)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	} else if err := writeFile(goSum(u.GoMod), []byte(*to.goSum)); err != nil {
		return err
	}
	return writeFile(u.GoMod, to.goMod)
}

// dropLine takes the replace line out, and nothing else.
func (u *Use) dropLine() error {
	text, err := os.ReadFile(u.GoMod)
	if err != nil {
		return err
	}
	if text, err = withoutLine(u.GoMod, text, u.line); err != nil {
		return err
	}
	return writeFile(u.GoMod, text)
}

// removeFolders removes the folders that vendor made for the copy, third_party as
// a rule, up to that of go.mod: those that are empty now, and no symbolic link.
func removeFolders(from, to string) {
	for at := from; at != to && at != filepath.Dir(at); at = filepath.Dir(at) {
		if info, err := os.Lstat(at); err != nil || !info.IsDir() || os.Remove(at) != nil {
			return
		}
	}
}
