package patch

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// Result is what a patch set makes of a version of the source.
type Result struct {
	// Files are the patched files by path, complete.
	Files map[string][]byte
	// Declarations are hashes of the pristine declarations that the patches
	// touch, by [Hunk.Key]: "sha256:" and hexadecimal digits. A hash covers
	// the tokens, so neither layout nor comments change it.
	Declarations map[string]string
	// Statements are hashes of what the hunks depend on in these declarations,
	// by [Hunk.Key], ": " and [Hunk.Anchor]: the statements that hold what they
	// match and the heads of those that enclose them. Hunks that did not apply
	// are left out, and those that depend on no statement.
	Statements map[string]string
	// Watched are hashes of the watched declarations, as far as they are there.
	Watched map[string]string
	// Errors says of each hunk that did not apply why.
	Errors map[*Hunk]error
}

// Apply applies all patches to the module in src, which is not written to.
//
// The result is returned along with an error, as far as it goes: Declarations
// holds what was found, and Files only what is complete and parses. The error
// joins a [HunkError] for each hunk that does not apply.
func (s *Set) Apply(src fs.FS) (*Result, error) {
	res := &Result{
		Files:        map[string][]byte{},
		Declarations: map[string]string{},
		Statements:   map[string]string{},
		Watched:      map[string]string{},
		Errors:       map[*Hunk]error{},
	}
	var errs []error
	fail := func(err error) {
		errs = append(errs, err)
		var e *HunkError
		if errors.As(err, &e) && res.Errors[e.Hunk] == nil {
			res.Errors[e.Hunk] = e
		}
	}
	byFile := map[string][]*Hunk{}
	for _, h := range s.Hunks() {
		byFile[h.File] = append(byFile[h.File], h)
	}
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		hunks := byFile[file]
		text, err := fs.ReadFile(src, file)
		if err != nil {
			for _, h := range hunks {
				fail(newHunkError(h, KindNoFile, "there is no such file in this version"))
			}
			continue
		}
		out, fileErrs := applyFile(file, text, hunks, res)
		for _, err := range fileErrs {
			fail(err)
		}
		if len(fileErrs) == 0 {
			res.Files[file] = out
		}
	}
	s.watch(src, res)
	return res, errors.Join(errs...)
}

func applyFile(name string, text []byte, hunks []*Hunk, res *Result) ([]byte, []error) {
	src, err := parseSource(name, text)
	if err != nil {
		return nil, []error{fmt.Errorf("the pristine file does not parse: %w", err)}
	}
	var edits []edit
	var errs []error
	for _, h := range hunks {
		if d, err := src.lookup(h); err == nil {
			res.Declarations[h.Key()] = src.hash(d)
			if hash := src.anchorHash(h, d); hash != "" {
				res.Statements[h.Key()+": "+h.Anchor()] = hash
			}
		}
		e, herr := src.edits(h)
		if herr != nil {
			errs = append(errs, herr)
			continue
		}
		edits = append(edits, e...)
	}
	errs = append(errs, overlaps(edits)...)
	if len(errs) > 0 {
		return nil, errs
	}
	out, err := src.splice(edits)
	if err != nil {
		return nil, []error{err}
	}
	return out, nil
}
