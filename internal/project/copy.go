package project

import (
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/stamp"
	"github.com/fastdrain/fastdrain/internal/tree"
	"github.com/fastdrain/fastdrain/internal/upstream"
)

// Copy is a patched copy of an upstream version, in memory.
type Copy struct {
	Upstream *upstream.Module
	// Pinned says that the version is the one of the pin.
	Pinned bool
	// Pristine are upstream's files, Files those of the patched copy with ours
	// among them, by path.
	Pristine fstest.MapFS
	Files    map[string][]byte
	// Ours are the names of our files, sorted.
	Ours   []string
	Result *patch.Result
}

// UpstreamFiles are the files of the copy that are not ours.
func (c *Copy) UpstreamFiles() map[string][]byte {
	files := maps.Clone(c.Files)
	for _, name := range c.Ours {
		delete(files, name)
	}
	return files
}

// NameError says that upstream ships files with names of ours.
type NameError struct {
	Version string
	Files   []string
}

func (e *NameError) Error() string {
	return fmt.Sprintf("server/%s is ours, and upstream %s ships a file of that name too: rename ours (or remove it, if it is left over from upstream)",
		strings.Join(e.Files, ", server/"), e.Version)
}

// Copy makes the patched copy of a version, or of the pinned one if version is
// empty. The pinned version must have the hash of the pin.
//
// When patches do not apply, the copy is returned with the error; its Result
// says which, and its Files are not complete.
func (p *Project) Copy(ctx context.Context, version string) (*Copy, error) {
	pin, err := p.Pin()
	if err != nil {
		return nil, err
	}
	if version == "" {
		version = pin.Version
	}
	sum := ""
	if version == pin.Version {
		sum = pin.Sum
	}
	c, err := p.copyOf(ctx, pin.Module, version, sum)
	if c != nil && c.Upstream.Version == pin.Version && !c.Pinned {
		// It was asked for as "latest", say.
		if c.Upstream.Sum != pin.Sum {
			return nil, &upstream.SumError{Path: pin.Module, Version: pin.Version, Want: pin.Sum, Have: c.Upstream.Sum}
		}
		c.Pinned = true
	}
	return c, err
}

func (p *Project) copyOf(ctx context.Context, module, version, sum string) (*Copy, error) {
	set, err := p.Patches()
	if err != nil {
		return nil, err
	}
	ours, err := p.Ours()
	if err != nil {
		return nil, err
	}
	mod, err := upstream.Download(ctx, module, version, sum)
	if err != nil {
		return nil, err
	}
	pristine, err := mod.Files()
	if err != nil {
		return nil, err
	}
	c := &Copy{
		Upstream: mod,
		Pinned:   sum != "",
		Pristine: pristine,
		Files:    map[string][]byte{},
		Ours:     slices.Sorted(maps.Keys(ours)),
	}
	taken := &NameError{Version: mod.Version}
	for name, f := range pristine {
		c.Files[name] = f.Data
	}
	var patchErr error
	c.Result, patchErr = set.Apply(pristine)
	maps.Copy(c.Files, c.Result.Files)
	if pkg := rootPackage(pristine); pkg != "" {
		c.Files[stamp.FileName] = stampOf(mod, set).Source(pkg)
	}
	for _, name := range c.Ours {
		// The same text under the same name is a file that an interrupted
		// vendor left, before it could note that it wrote it.
		if have, ok := c.Files[name]; ok {
			if string(have) != string(ours[name]) {
				taken.Files = append(taken.Files, name)
			}
			continue
		}
		c.Files[name] = ours[name]
	}
	c.Ours = slices.DeleteFunc(c.Ours, func(name string) bool { return pristine[name] != nil })
	if len(taken.Files) > 0 {
		return c, taken
	}
	return c, patchErr
}

// stampOf is what the binaries made with a copy are marked with.
func stampOf(mod *upstream.Module, set *patch.Set) stamp.Stamp {
	s := stamp.Stamp{Upstream: mod.Path + "@" + mod.Version, Sum: tree.Sum(set.Text)[:16]}
	for _, p := range set.Patches {
		s.Patches = append(s.Patches, p.Name)
	}
	return s
}

// rootPackage is the name of the package in a module's root, empty if there is
// none.
func rootPackage(files fstest.MapFS) string {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.Contains(name, "/") || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if f, err := parser.ParseFile(token.NewFileSet(), name, files[name].Data, parser.PackageClauseOnly); err == nil {
			return f.Name.Name
		}
	}
	return ""
}
