package project

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// Into says which copy PlanInto is to make, and for where.
type Into struct {
	// Dir is the folder, which has to be new, empty, or written by an earlier
	// call.
	Dir string
	// Version is that of upstream, the pinned one if it is empty.
	Version string
	// Tests says to write tests, test data and examples, too.
	Tests bool
	// Force says to write over files that somebody has edited.
	Force bool
}

// Intended is a copy that is to be written into a folder outside of server/.
type Intended struct {
	// Vendored says what Write is going to do.
	Vendored
	// Files are what the folder is to hold.
	Files map[string][]byte
	// Lost are the edits that Force gives up, each as a unified diff.
	Lost []string
	plan tree.Plan
}

// PlanInto makes a complete patched copy, our files included, and finds out what
// it takes to write it into a folder. It writes nothing.
func (p *Project) PlanInto(ctx context.Context, into Into) (*Intended, error) {
	abs, err := filepath.Abs(into.Dir)
	if err != nil {
		return nil, err
	}
	if rel, err := filepath.Rel(p.Server(), abs); err == nil && filepath.IsLocal(rel) {
		return nil, fmt.Errorf("%s is in server/, which vendor writes without -o: give a directory elsewhere", into.Dir)
	}
	if err := mayBeDirectory(into.Dir); err != nil {
		return nil, err
	}
	c, set, err := p.completeCopy(ctx, into.Version)
	if err != nil {
		return nil, p.unsupported(c, err)
	}
	in := &Intended{
		Vendored: Vendored{Module: c.Upstream.Path, Version: c.Upstream.Version, Pinned: c.Pinned, Patches: len(set.Patches)},
		Files:    c.Files,
	}
	if !into.Tests {
		if in.Files, err = lean(c.Files, c.Ours); err != nil {
			return nil, err
		}
	}
	in.Files[".gitattributes"] = []byte("# Written by fastdrain vendor: git is not to change the line ends of what it wrote.\n* -text\n")
	in.plan = tree.Plan{
		Dir:       into.Dir,
		Upstream:  in.Module + "@" + in.Version,
		Files:     in.Files,
		Exclusive: true,
		Force:     into.Force,
		DryRun:    true,
	}
	if in.Changes, err = tree.Sync(in.plan); err != nil {
		var edited *tree.EditedError
		if errors.As(err, &edited) {
			err = fmt.Errorf("%w; or with -force, which writes over it and shows what is lost (with -n it only shows it)", err)
		}
		return nil, err
	}
	for _, name := range in.Changes.Edited {
		diff, err := lost(into.Dir, name, in.Files[name])
		if err != nil {
			return nil, err
		}
		in.Lost = append(in.Lost, diff)
	}
	return in, nil
}

// mayBeDirectory is an error if there is something that is no directory.
func mayBeDirectory(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is no directory: give one that is new or empty, or that fastdrain wrote", dir)
	}
	if _, linkErr := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) && linkErr == nil {
		return fmt.Errorf("%s is a symbolic link to nothing: make its target, or give another directory", dir)
	}
	return nil
}

// Write writes what PlanInto found. The caller sees to it that nobody else writes
// there.
func (in *Intended) Write() (err error) {
	in.plan.DryRun = false
	in.Changes, err = tree.Sync(in.plan)
	return err
}

// unsupported makes few words of patches that do not apply to another version than
// the pinned one: what to do about each is what check says.
func (p *Project) unsupported(c *Copy, err error) error {
	if c == nil || c.Pinned || c.Result == nil || len(c.Result.Errors) == 0 {
		return err
	}
	pin, pinErr := p.Pin()
	if pinErr != nil {
		return errors.Join(err, pinErr)
	}
	set, setErr := p.Patches()
	if setErr != nil {
		return errors.Join(err, setErr)
	}
	failed := map[string]bool{}
	for h := range c.Result.Errors {
		failed[h.Patch] = true
	}
	return fmt.Errorf("%s %s is not supported: of %d patches %d do not apply; leave out -upstream to have %s\n(fastdrain check -upstream %s says what is different)",
		path.Base(c.Upstream.Path), c.Upstream.Version, len(set.Patches), len(failed), pin.Version, c.Upstream.Version)
}

// Lost tells what is lost of the edits in a copy when its files are removed: a
// diff for each file, where the copy can be made again as it was, and else its name.
func (p *Project) Lost(ctx context.Context, dir string, edited []string) ([]string, error) {
	m, err := tree.Load(dir)
	if err != nil || m == nil {
		return nil, err
	}
	files := map[string][]byte{}
	if p != nil {
		_, version, _ := strings.Cut(m.Upstream, "@")
		if c, _, err := p.completeCopy(ctx, version); err == nil {
			files = c.Files
			if less, err := lean(c.Files, c.Ours); err == nil {
				files = maps.Clone(files)
				for name, data := range less {
					if tree.Sum(data) == m.Files[name].Sum {
						files[name] = data
					}
				}
			}
		}
	}
	var diffs []string
	for _, name := range edited {
		data, ok := files[name]
		if !ok || tree.Sum(data) != m.Files[name].Sum {
			diffs = append(diffs, filepath.Join(dir, filepath.FromSlash(name))+" is edited; what it was before is not at hand\n")
			continue
		}
		diff, err := lost(dir, name, data)
		if err != nil {
			return nil, err
		}
		diffs = append(diffs, diff)
	}
	return diffs, nil
}

// lost is a diff from an edited file to what takes its place.
func lost(dir, name string, to []byte) (string, error) {
	file := filepath.Join(dir, filepath.FromSlash(name))
	have, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A:        difflib.SplitLines(strings.ReplaceAll(string(have), "\r\n", "\n")),
		B:        difflib.SplitLines(string(to)),
		FromFile: filepath.ToSlash(file) + " (edited)",
		ToFile:   filepath.ToSlash(file) + " (as vendor writes it)",
		Context:  diffContext,
	})
}

// Names are the paths of the copy's files and of the manifest.
func (in *Intended) Names() []string {
	return append([]string{tree.ManifestName}, slices.Sorted(maps.Keys(in.Files))...)
}
