package project

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/stamp"
	"github.com/fastdrain/fastdrain/internal/tree"
	"github.com/fastdrain/fastdrain/internal/watch"
)

// DefaultUpstream is the module that is patched, as long as no pin says so.
const DefaultUpstream = "github.com/valyala/fasthttp"

// Repin pins a version, or the pinned one anew if version is empty, and writes
// the Watch lines of PATCHES.md. All patches must apply to it, and the result
// must compile.
//
// It returns the pin as it was (nil if there was none) and as it is, and the
// names of the declarations that are not what they were, sorted. What of it has
// to be read is the new pin's Unread.
func (p *Project) Repin(ctx context.Context, version string) (old, pin *Pin, changed []string, err error) {
	old, oldErr := p.Pin()
	module, sum := DefaultUpstream, ""
	if oldErr == nil {
		module = old.Module
		if version == "" {
			version = old.Version
		}
		if version == old.Version {
			// A version never changes. If its hash did, then somebody has
			// tampered with it, and pinning it anew is no remedy.
			sum = old.Sum
		}
	} else {
		if version == "" {
			return nil, nil, nil, oldErr
		}
		old = nil
	}
	c, err := p.copyOf(ctx, module, version, sum)
	if err != nil {
		return old, nil, nil, fmt.Errorf("not pinned: %w", err)
	}
	set, err := p.Patches()
	if err != nil {
		return old, nil, nil, err
	}
	watched, err := c.FindWatched(ctx)
	if err != nil {
		return old, nil, nil, fmt.Errorf("not pinned: %w", err)
	}
	text := set.WithWatched(watched)
	if set, err = patch.Parse(PatchesName, text); err != nil {
		return old, nil, nil, err
	}
	res, err := set.Apply(c.Pristine)
	if err != nil {
		return old, nil, nil, err
	}
	pin = &Pin{Module: module, Version: c.Upstream.Version, Sum: c.Upstream.Sum,
		Declarations: res.Declarations, Statements: res.Statements, Watched: res.Watched}
	if old != nil {
		pin.after(old, res)
		changed = append(changedNames(old.Declarations, pin.Declarations), changedNames(old.Watched, pin.Watched)...)
		slices.Sort(changed)
	}
	if err := tree.WriteFile(filepath.Join(p.Root, PatchesName), text, 0o644); err != nil {
		return old, nil, nil, err
	}
	return old, pin, changed, p.SetPin(pin)
}

// changedNames are the names that both have, with other hashes.
func changedNames(old, now map[string]string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if h, ok := old[name]; ok && h != now[name] {
			names = append(names, name)
		}
	}
	return names
}

// FindWatched finds the declarations that the Watch lines of PATCHES.md have to
// name (see package watch). It needs a complete copy that compiles.
func (c *Copy) FindWatched(ctx context.Context) ([]string, error) {
	dir, err := c.temporary()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return watch.Find(ctx, dir,
		func(file string) bool { return file == stamp.FileName || slices.Contains(c.Ours, file) },
		func(decl string) bool { return c.Result.Declarations[decl] != "" })
}

// temporary writes the copy into a temporary directory.
func (c *Copy) temporary() (string, error) {
	dir, err := os.MkdirTemp("", "fastdrain-")
	if err != nil {
		return "", err
	}
	for name, data := range c.Files {
		if err := tree.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), data, 0o644); err != nil {
			os.RemoveAll(dir)
			return "", err
		}
	}
	return dir, nil
}
