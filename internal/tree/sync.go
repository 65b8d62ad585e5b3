package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Plan is what a directory is to hold.
type Plan struct {
	// Dir is the directory. It is made if it does not exist.
	Dir string
	// Upstream and Inputs go into the manifest.
	Upstream, Inputs string
	// Files are the contents by path. They are written read-only.
	Files map[string][]byte
	// Times says to note the files' times in the manifest, which makes
	// [Current] quick.
	Times bool
	// Exclusive says that a directory without a manifest must be empty, but for what
	// is as we would write it, and [NoteName]: a manifest that was damaged may have
	// been removed.
	Exclusive bool
	// Force says to write over and to remove files of ours that somebody has
	// edited, too. Changes names them.
	Force bool
	// DryRun says to find out what would change, and to write nothing.
	DryRun bool

	// beforeReplace is called before each file is replaced, and an error of it
	// is where the update stops. It is for tests.
	beforeReplace func(name string) error
}

// Changes says what an update did.
type Changes struct {
	// Written and Removed are paths, sorted.
	Written, Removed []string
	// Edited are those of them that somebody had edited, see Plan.Force.
	Edited []string
}

// None reports whether nothing was changed.
func (c Changes) None() bool { return len(c.Written)+len(c.Removed) == 0 }

// ForeignError says that files of somebody else are where ours should go.
type ForeignError struct {
	Dir string
	// Files are the paths in Dir.
	Files []string
	// NoManifest says that we never wrote into Dir.
	NoManifest bool
}

func (e *ForeignError) Error() string {
	name := display(e.Dir, e.Files[0])
	if e.NoManifest {
		return fmt.Sprintf("%s holds files that fastdrain did not write, such as %s: give a directory that is new or empty, or one that fastdrain wrote", e.Dir, e.Files[0])
	}
	return fmt.Sprintf("%s is in the way%s: fastdrain did not write it, and upstream ships a file of that name; rename or remove yours", name, andMore(e.Files))
}

// EditedError says that somebody has changed files that we wrote.
type EditedError struct {
	Dir   string
	Files []string
}

func (e *EditedError) Error() string {
	return fmt.Sprintf("%s has been edited by hand%s, and would be overwritten: put the change into PATCHES.md, or remove the file, and run again",
		display(e.Dir, e.Files[0]), andMore(e.Files))
}

// display is the path of a file as a user would write it: from the working
// directory, if it is below that.
func display(dir, name string) string {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return path
}

func andMore(files []string) string {
	if len(files) < 2 {
		return ""
	}
	s := " (and so "
	if len(files) == 2 {
		s += "is "
	} else {
		s += "are "
	}
	for i, f := range files[1:] {
		if i == 5 {
			return s + fmt.Sprintf(" and %d more)", len(files)-1-i)
		}
		if i > 0 {
			s += ", "
		}
		s += f
	}
	return s + ")"
}

// Sync makes the directory hold the files of the plan, and none that an earlier
// plan had and this one does not have. It either finds a reason not to begin,
// and changes nothing, or completes; if it is interrupted, the next Sync
// completes it. The caller sees to it that no two of them run at a time in one
// directory: what is left there of an earlier one is taken for that of a dead one.
func Sync(p Plan) (Changes, error) {
	var changes Changes
	old, err := Load(p.Dir)
	if err != nil {
		return changes, err
	}
	// ours says which contents of a file are from us: that of the last update,
	// and those of updates that were interrupted since.
	ours := map[string][]string{}
	interrupted, err := loadJSON(filepath.Join(p.Dir, pendingName), &ours)
	if err != nil {
		return changes, err
	}
	if old != nil {
		for name, e := range old.Files {
			ours[name] = append(ours[name], e.Sum)
		}
	}
	if p.Exclusive && old == nil && !interrupted {
		if err := mustBeEmpty(p.Dir, p.Files); err != nil {
			return changes, err
		}
	}

	next := &Manifest{Upstream: p.Upstream, Inputs: p.Inputs, Files: map[string]Entry{}}
	foreign := &ForeignError{Dir: p.Dir}
	edited := &EditedError{Dir: p.Dir}
	names := slices.Sorted(maps.Keys(p.Files))
	for _, name := range names {
		want := Sum(p.Files[name])
		next.Files[name] = Entry{Sum: want, Size: int64(len(p.Files[name]))}
		have, err := sumsOf(p.Dir, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			changes.Written = append(changes.Written, name)
		case err != nil:
			return Changes{}, err
		case have.is(want):
		case ours[name] == nil:
			foreign.Files = append(foreign.Files, name)
		default:
			if !have.is(ours[name]...) {
				edited.Files = append(edited.Files, name)
			}
			changes.Written = append(changes.Written, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if _, ok := p.Files[name]; ok {
			continue
		}
		have, err := sumsOf(p.Dir, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return Changes{}, err
		default:
			if !have.is(ours[name]...) {
				edited.Files = append(edited.Files, name)
			}
			changes.Removed = append(changes.Removed, name)
		}
	}
	if len(foreign.Files) > 0 {
		return Changes{}, foreign
	}
	if len(edited.Files) > 0 && !p.Force {
		return Changes{}, edited
	}
	changes.Edited = edited.Files
	if p.DryRun {
		return changes, nil
	}

	RemoveLeftovers(p.Dir)
	if !changes.None() {
		for name, e := range next.Files {
			ours[name] = append(ours[name], e.Sum)
		}
		begin := func() error { return saveJSON(filepath.Join(p.Dir, pendingName), ours) }
		if err := write(p, changes, begin); err != nil {
			return changes, err
		}
	}
	if p.Times {
		if err := next.stamp(p.Dir); err != nil {
			return changes, err
		}
	}
	if err := next.saveIfChanged(p.Dir, old); err != nil {
		return changes, err
	}
	if err := os.Remove(filepath.Join(p.Dir, pendingName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return changes, err
	}
	return changes, nil
}

// stamp notes the files' times.
func (m *Manifest) stamp(dir string) error {
	for name, e := range m.Files {
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		e.ModTime = info.ModTime().UnixNano()
		m.Files[name] = e
	}
	return nil
}

func (m *Manifest) saveIfChanged(dir string, old *Manifest) error {
	if old != nil && old.Upstream == m.Upstream && old.Inputs == m.Inputs && maps.Equal(old.Files, m.Files) {
		return nil
	}
	return m.save(dir)
}

// sums are the hashes of a file as it is, and as it would be without the CR that
// git puts before each LF where core.autocrlf says so.
type sums struct{ asIs, withoutCR string }

// is reports whether one of them is among the given ones.
func (s sums) is(want ...string) bool {
	return slices.Contains(want, s.asIs) || slices.Contains(want, s.withoutCR)
}

func sumsOf(dir, name string) (sums, error) {
	data, regular, err := ReadRegular(dir, name)
	if err != nil {
		return sums{}, err
	}
	if !regular {
		return sums{}, fmt.Errorf("%s is in the way: it is not a regular file; remove it and run again", display(dir, name))
	}
	return sums{Sum(data), Sum(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))}, nil
}

// mustBeEmpty names a file of a directory that is neither one of the given ones, nor
// what we leave beside them.
func mustBeEmpty(dir string, files map[string][]byte) error {
	found := ""
	err := Walk(dir, func(name string, d fs.DirEntry) error {
		switch {
		case name == NoteName:
		case files[name] != nil && d.Type().IsRegular():
			have, err := sumsOf(dir, name)
			if err != nil {
				return err
			}
			if !have.is(Sum(files[name])) {
				found = name
				return fs.SkipAll
			}
		case !strings.Contains(name, "/") && isLeftover(name):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir():
			found = name
			return fs.SkipAll
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if found == "" {
		return nil
	}
	return &ForeignError{Dir: dir, Files: []string{found}, NoManifest: true}
}
