package project

import (
	"bytes"
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

	"github.com/fastdrain/fastdrain/internal/stamp"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// Verified says what a folder holds, beside what it should.
type Verified struct {
	Module, Version string
	// Pinned says that the version is the one of the pin, whose hash the pin
	// has; else the go command has checked the download.
	Pinned bool
	// Same is how many files are as they should be.
	Same int
	// Changed, Missing and Foreign are the files that are not: by path in the
	// folder, sorted.
	Changed, Missing, Foreign []string
	// OtherPatches says that the folder was written with another patch set,
	// by another version of this command: then most of ours differ.
	OtherPatches bool
}

// OK says that the folder is upstream's version and our patches, and nothing else.
func (v *Verified) OK() bool { return len(v.Changed)+len(v.Missing)+len(v.Foreign) == 0 }

// Verify makes the copy of an upstream version anew, in memory, from the module
// cache or the module proxy, and compares a folder with it byte by byte. With an
// empty version the one is taken that the folder says it is, the pinned one if it
// says nothing. What the folder's own manifest has of hashes is not trusted.
//
// Line ends may be those of Windows, and what a program is not made of may be
// missing: tests, examples, testdata, and documents but for the licenses.
func (p *Project) Verify(ctx context.Context, dir, version string) (*Verified, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is no directory: give the folder of a copy, such as third_party/fasthttp", dir)
	}
	if version == "" {
		m, err := tree.Load(dir)
		if err != nil {
			return nil, err
		}
		if m != nil {
			_, version, _ = strings.Cut(m.Upstream, "@")
		}
	}
	c, _, err := p.completeCopy(ctx, version)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, joinedName)); err == nil {
		if c.Files, err = lean(c.Files, c.Ours); err != nil {
			return nil, err
		}
	}
	v := &Verified{Module: c.Upstream.Path, Version: c.Upstream.Version, Pinned: c.Pinned}
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		have, regular, err := tree.ReadRegular(dir, name)
		switch {
		case err == nil && !regular: // foreign, see below
		case errors.Is(err, fs.ErrNotExist):
			if needed(name) {
				v.Missing = append(v.Missing, name)
			}
		case err != nil:
			return nil, err
		case bytes.Equal(have, c.Files[name]) || bytes.Equal(bytes.ReplaceAll(have, []byte("\r\n"), []byte("\n")), c.Files[name]):
			v.Same++
		default:
			v.Changed = append(v.Changed, name)
			v.OtherPatches = v.OtherPatches || name == stamp.FileName
		}
	}
	err = tree.Walk(dir, func(name string, d fs.DirEntry) error {
		switch _, ours := c.Files[name]; {
		case d.IsDir():
		case !d.Type().IsRegular():
			// A link may lead to a file that is right, and to another one
			// tomorrow.
			v.Foreign = append(v.Foreign, name)
		case !ours && !slices.Contains(vendorNotes, name):
			v.Foreign = append(v.Foreign, name)
		}
		return nil
	})
	slices.Sort(v.Foreign)
	return v, err
}

// vendorNotes are the files in which vendor notes what it did. No program is made of
// them.
var vendorNotes = []string{tree.ManifestName, tree.NoteName, ".gitattributes"}

// needed says whether a copy is not complete without a file.
func needed(name string) bool {
	switch {
	case strings.HasSuffix(name, "_test.go"), strings.HasSuffix(name, ".md"):
		return false
	case slices.ContainsFunc(strings.Split(path.Dir(name), "/"), func(dir string) bool {
		return dir == "testdata" || dir == "examples"
	}):
		return false
	}
	return strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".s") || strings.HasPrefix(name, "LICENSE") || name == "go.mod"
}
