package project

import (
	"fmt"
	"os"
	"path/filepath"

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
	// Exact says that go.mod and go.sum are byte for byte what they were.
	Exact bool
	// VendorDir says that there is a vendor folder to bring up to date.
	VendorDir bool
}

// Remove takes the copy out of the module that dir is in: the files, the replace
// line, and what the go command has changed in go.mod for its sake. A copy that
// has been edited is an error, and then nothing is changed.
func Remove(dir string) (*Removed, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	goMod := findGoMod(abs)
	if goMod == "" {
		return nil, fmt.Errorf("there is no go.mod in %s or above it: run in the directory of the service", abs)
	}
	now, err := readGoMod(goMod)
	if err != nil {
		return nil, err
	}
	module, copyDir, err := findCopy(goMod, now)
	if err != nil {
		return nil, err
	}
	if other, err := sharedBy(goMod, copyDir); err != nil {
		return nil, err
	} else if other != "" {
		return nil, fmt.Errorf("%s uses the copy in %s too: remove the replace line of the one that shall not, by hand", other, copyDir)
	}
	r := &Removed{GoMod: goMod}
	if r.Dir, err = filepath.Rel(filepath.Dir(goMod), copyDir); err != nil {
		return nil, err
	}
	_, err = os.Stat(filepath.Join(filepath.Dir(goMod), "vendor", "modules.txt"))
	r.VendorDir = err == nil

	n, err := readNotes(copyDir)
	if err != nil {
		return nil, err
	}
	key, err := noteKey(copyDir, goMod)
	if err != nil {
		return nil, err
	}
	if err := tree.CheckUnedited(copyDir); err != nil {
		return nil, err
	}
	was, noted := n[key]
	if noted {
		old, err := modfile.Parse(undoName, []byte(was.GoMod), nil)
		if err != nil {
			return nil, err
		}
		ours, err := readGoMod(filepath.Join(copyDir, "go.mod"))
		if err != nil {
			return nil, err
		}
		if r.Exact, err = restore(now, old, ours, module); err != nil {
			return nil, err
		}
	} else if err := now.DropReplace(module, ""); err != nil {
		return nil, err
	}
	// The line goes first: a line without a copy is a build that fails.
	if r.Exact {
		err = was.write(goMod)
	} else {
		err = writeGoMod(goMod, now)
	}
	if err != nil {
		return nil, err
	}
	delete(n, key)
	if err := n.write(copyDir); err != nil {
		return nil, err
	}
	if r.Files, r.Kept, err = tree.Remove(copyDir); err != nil {
		return nil, err
	}
	// Folders that vendor made for the copy, third_party as a rule.
	for at := filepath.Dir(copyDir); at != filepath.Dir(goMod) && os.Remove(at) == nil; at = filepath.Dir(at) {
	}
	return r, nil
}

// write writes a go.mod and its go.sum as they were.
func (b before) write(goMod string) error {
	if err := tree.WriteFile(goMod, []byte(b.GoMod), 0o644); err != nil {
		return err
	}
	if b.GoSum == nil {
		if err := os.Remove(goSum(goMod)); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	}
	return tree.WriteFile(goSum(goMod), []byte(*b.GoSum), 0o644)
}

// findCopy finds the replace line whose directory vendor wrote.
func findCopy(goMod string, file *modfile.File) (module, dir string, err error) {
	for _, r := range file.Replace {
		if r.New.Version != "" {
			continue
		}
		dir := resolve(goMod, r.New.Path)
		if m, err := tree.Load(dir); err != nil {
			return "", "", err
		} else if m != nil {
			return r.Old.Path, dir, nil
		}
	}
	return "", "", fmt.Errorf("%s has no replace line to a copy that fastdrain vendor wrote: there is nothing to remove", goMod)
}
