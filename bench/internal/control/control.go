// Package control makes copies of the patched server that are worse by one
// deliberate change, so that a gate can show that it notices.
package control

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing/fstest"

	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/project"
	"github.com/fastdrain/fastdrain/internal/tree"
)

//go:embed controls.md
var controls []byte

// Control is a deliberate change, by the name of its patch in controls.md, and
// the metric by which it has to be noticed.
type Control struct {
	Name   string
	Metric figure.Metric
}

// Controls are all controls.
var Controls = []Control{
	{"extra-deadline", figure.Instructions},
	{"extra-atomic", figure.Atomics},
	{"extra-allocation", figure.Allocs},
}

// Write writes a complete patched copy with one more patch, of controls.md, into
// dir, which has to be new, empty, or written by an earlier call.
func Write(ctx context.Context, p *project.Project, name, dir string) error {
	return write(ctx, p, "controls.md", controls, name, dir, nil)
}

// WritePatched writes a patched copy with more patches and more files into dir.
// They are in the format of PATCHES.md, and apply to what PATCHES.md has made.
func WritePatched(ctx context.Context, p *project.Project, text []byte, files map[string][]byte, dir string) error {
	return write(ctx, p, "more patches", text, "", dir, files)
}

func write(ctx context.Context, p *project.Project, source string, text []byte, name, dir string, more map[string][]byte) error {
	c, err := p.Copy(ctx, "")
	if err != nil {
		return err
	}
	set, err := patch.Parse(source, text)
	if err != nil {
		return err
	}
	if name != "" {
		all := set.Patches
		set.Patches = nil
		for _, one := range all {
			if one.Name == name {
				set.Patches = append(set.Patches, one)
			}
		}
		if len(set.Patches) == 0 {
			return fmt.Errorf("%s has no patch %q", source, name)
		}
	}
	files := fstest.MapFS{}
	for path, data := range c.Files {
		if !strings.HasSuffix(path, "_test.go") {
			files[path] = &fstest.MapFile{Data: data}
		}
	}
	result, err := set.Apply(files)
	if err != nil {
		return fmt.Errorf("%s does not apply to the patched copy: %w", source, err)
	}
	out := map[string][]byte{}
	for path, f := range files {
		out[path] = f.Data
	}
	maps.Copy(out, result.Files)
	maps.Copy(out, more)
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	_, err = tree.Sync(tree.Plan{
		Dir: abs, Upstream: c.Upstream.Path + "@" + c.Upstream.Version, Files: out, Exclusive: true,
	})
	return err
}
