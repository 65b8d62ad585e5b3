package project

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// Vendored says what Vendor did, or what an Intended copy is.
type Vendored struct {
	Module, Version string
	// Pinned says that the version is the pinned one.
	Pinned bool
	// Patches is how many patches were applied.
	Patches int
	// Changes are paths in the directory, go.mod and go.sum included.
	Changes tree.Changes
}

// moduleFiles are made of upstream's and PATCHES.md like the others, but tracked
// in server/, so that the root module resolves in a clone before vendor ran.
var moduleFiles = []string{"go.mod", "go.sum"}

// Vendor writes the patched copy of a version into server/, of the pinned one
// if version is empty. When nothing has changed since the last time, nothing is
// done.
func (p *Project) Vendor(ctx context.Context, version string) (*Vendored, error) {
	pin, err := p.Pin()
	if err != nil {
		return nil, err
	}
	if version == "" {
		version = pin.Version
	}
	v := &Vendored{Module: pin.Module, Version: version, Pinned: version == pin.Version}
	set, err := p.Patches()
	if err != nil {
		return nil, err
	}
	v.Patches = len(set.Patches)
	if inputs, err := p.inputs(version); err != nil {
		return nil, err
	} else if tree.Current(p.Server(), inputs) {
		return v, nil
	}

	unlock, err := lockedfile.MutexAt(filepath.Join(p.Server(), ".fastdrain.lock")).Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, err := p.Copy(ctx, version)
	if err != nil {
		return nil, p.unsupported(c, err)
	}
	v.Version = c.Upstream.Version
	files := c.UpstreamFiles()
	modules := map[string][]byte{}
	for _, name := range moduleFiles {
		modules[name] = files[name]
		delete(files, name)
	}
	files[".gitignore"] = gitignore(files)
	plan := tree.Plan{
		Dir:      p.Server(),
		Upstream: v.Module + "@" + v.Version,
		Files:    files,
		Times:    true,
	}
	if plan.Inputs, err = p.inputsWith(version, modules); err != nil {
		return nil, err
	}
	if v.Changes, err = tree.Sync(plan); err != nil {
		return nil, err
	}
	for _, name := range moduleFiles {
		file := filepath.Join(p.Server(), name)
		if have, err := os.ReadFile(file); err == nil && string(have) == string(modules[name]) {
			continue
		}
		if err := tree.WriteFile(file, modules[name], 0o644); err != nil {
			return nil, err
		}
		v.Changes.Written = append(v.Changes.Written, name)
	}
	return v, nil
}

// completeCopy makes a copy for elsewhere, tests and all. Its LICENSE is upstream's; our files
// come with our own notice.
func (p *Project) completeCopy(ctx context.Context, version string) (*Copy, *patch.Set, error) {
	c, err := p.Copy(ctx, version)
	if err != nil {
		return c, nil, err
	}
	set, err := p.Patches()
	if err != nil {
		return nil, nil, err
	}
	license, err := os.ReadFile(filepath.Join(p.Root, "LICENSE"))
	if err != nil {
		return nil, nil, err
	}
	c.Files["LICENSE.fastdrain"] = license
	return c, set, nil
}

// inputs is a hash of all that upstream's part of server/ is made of: this
// program too, as another one may patch differently.
func (p *Project) inputs(version string) (string, error) {
	modules := map[string][]byte{}
	for _, name := range moduleFiles {
		data, err := os.ReadFile(filepath.Join(p.Server(), name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		modules[name] = data
	}
	return p.inputsWith(version, modules)
}

func (p *Project) inputsWith(version string, modules map[string][]byte) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "version %s\n", version)
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	for _, file := range []string{exe, filepath.Join(p.Root, PatchesName), p.pinFile()} {
		sum := sha256.New()
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(sum, f)
		f.Close()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "file %x\n", sum.Sum(nil))
	}
	for _, name := range moduleFiles {
		fmt.Fprintf(h, "%s %s\n", name, tree.Sum(modules[name]))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// gitignore makes git ignore what vendor writes, and itself. Our files cannot be
// listed instead, as a new one would then be ignored until somebody notices.
func gitignore(files map[string][]byte) []byte {
	var out strings.Builder
	out.WriteString("# Written by fastdrain vendor: what it wrote here.\n/.gitignore\n/.fastdrain*\n")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out.WriteString("/" + gitignoreEscaper.Replace(name) + "\n")
	}
	return []byte(out.String())
}

var gitignoreEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, ` `, `\ `)
