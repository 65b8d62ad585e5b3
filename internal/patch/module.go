package patch

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// validateModule checks the lines of a hunk for go.mod or go.sum.
func (h *Hunk) validateModule() *lineError {
	n := 0
	for _, l := range h.Lines {
		fields := strings.Fields(l.Text)
		switch {
		case l.Op == ' ' && len(fields) == 0:
			continue
		case l.Op != '+':
			return &lineError{l.N, "only '+' lines are allowed here"}
		case h.File == "go.mod" && (len(fields) != 2 || !semver.IsValid(fields[1])):
			return &lineError{l.N, fmt.Sprintf("%q is not a module and its version", l.Text)}
		case h.File == "go.sum" && (len(fields) != 3 || !strings.HasPrefix(fields[2], "h1:")):
			return &lineError{l.N, fmt.Sprintf("%q is not a line of go.sum: module, version and h1: hash", l.Text)}
		}
		n++
	}
	if n == 0 {
		return &lineError{h.Line, "the hunk changes nothing: it has no '+' line"}
	}
	return nil
}

// applyModule makes go.mod and go.sum of upstream's and of the hunks.
func applyModule(src fs.FS, mods, sums []*Hunk) (map[string][]byte, []error) {
	files := map[string][]byte{}
	if len(mods)+len(sums) == 0 {
		return files, nil
	}
	modText, err := fs.ReadFile(src, "go.mod")
	if err != nil {
		return files, []error{fmt.Errorf("upstream's go.mod: %w", err)}
	}
	file, err := modfile.Parse("go.mod", modText, nil)
	if err != nil {
		return files, []error{fmt.Errorf("upstream's go.mod does not parse: %w", err)}
	}
	required := map[string]string{}
	for _, r := range file.Require {
		required[r.Mod.Path] = r.Mod.Version
	}
	var errs []error
	replaced := map[module.Version]bool{} // versions that are asked for no more
	by := map[string]*Hunk{}
	for _, h := range mods {
		for _, l := range h.Lines {
			fields := strings.Fields(l.Text)
			if len(fields) == 0 {
				continue
			}
			path, version := fields[0], fields[1]
			old, ok := required[path]
			if other := by[path]; other != nil {
				e := newHunkError(h, KindOverlap, fmt.Sprintf("patch %q sets the version of %s too", other.Patch, path))
				e.Other = other
				errs = append(errs, e)
				continue
			}
			by[path] = h
			if !ok {
				errs = append(errs, newHunkError(h, KindModule, fmt.Sprintf("upstream does not require %s, so there is no version to change", path)))
				continue
			}
			if old == version {
				continue
			}
			if err := file.AddRequire(path, version); err != nil {
				errs = append(errs, newHunkError(h, KindModule, err.Error()))
				continue
			}
			replaced[module.Version{Path: path, Version: old}] = true
		}
	}
	if len(errs) > 0 {
		return files, errs
	}
	if len(mods) > 0 {
		file.Cleanup()
		out, err := file.Format()
		if err != nil {
			return files, []error{fmt.Errorf("the patched go.mod: %w", err)}
		}
		files["go.mod"] = out
	}
	sumText, err := fs.ReadFile(src, "go.sum")
	if err != nil {
		sumText = nil // a module without requirements has none
	}
	files["go.sum"] = applySums(sumText, sums, replaced)
	return files, nil
}

// applySums drops the lines of the replaced versions, adds those of the hunks,
// and sorts as the go command does.
func applySums(text []byte, hunks []*Hunk, replaced map[module.Version]bool) []byte {
	sums := map[module.Version][]string{}
	add := func(line string) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return
		}
		v := module.Version{Path: f[0], Version: f[1]}
		if replaced[module.Version{Path: f[0], Version: strings.TrimSuffix(f[1], "/go.mod")}] || slices.Contains(sums[v], f[2]) {
			return
		}
		sums[v] = append(sums[v], f[2])
	}
	for line := range strings.Lines(string(text)) {
		add(line)
	}
	for _, h := range hunks {
		for _, l := range h.Lines {
			add(l.Text)
		}
	}
	versions := make([]module.Version, 0, len(sums))
	for v := range sums {
		versions = append(versions, v)
	}
	module.Sort(versions)
	var out bytes.Buffer
	for _, v := range versions {
		for _, sum := range sums[v] {
			fmt.Fprintf(&out, "%s %s %s\n", v.Path, v.Version, sum)
		}
	}
	return out.Bytes()
}
