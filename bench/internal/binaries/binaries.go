// Package binaries builds what is measured, once for each side.
package binaries

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/fastdrain/fastdrain/internal/variant"
)

// Side is which fasthttp a binary contains.
type Side struct {
	// Name is the side's name in tables and of its binaries.
	Name string
	// Copy is the directory of a patched copy other than server/.
	Copy string
}

// Upstream and Patched are the two sides.
var (
	Upstream = Side{Name: "upstream"}
	Patched  = Side{Name: "patched"}
)

// Builder builds into a directory of the checkout.
type Builder struct {
	variant.Builder
}

// New returns a Builder for the project at root.
func New(root string) Builder {
	return Builder{variant.Builder{
		Root: root,
		Dir:  filepath.Join(root, "bin", "bench"),
		// A C library would add its own start to every run.
		Env: []string{"CGO_ENABLED=0"},
	}}
}

// Program builds a main package and returns the path of the binary.
func (b Builder) Program(ctx context.Context, side Side, pkg string) (string, error) {
	return b.build(ctx, side, filepath.Base(pkg), pkg, "build")
}

// Tests builds the test binary of a package and returns its path.
func (b Builder) Tests(ctx context.Context, side Side, pkg string) (string, error) {
	return b.build(ctx, side, filepath.Base(pkg)+".test", pkg, "test", "-c")
}

func (b Builder) build(ctx context.Context, side Side, name, pkg string, args ...string) (string, error) {
	if err := os.MkdirAll(b.Dir, 0o755); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(b.Root, "server", "server.go")); errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("the patched copy is not there (server/server.go is missing): run `make server` first")
	}
	flags := []string{"-tags", variant.Tag}
	want := variant.Contents{Tagged: true, Replaced: "./server"}
	switch {
	case side == Upstream:
		mod, version, err := b.UpstreamModfile(ctx)
		if err != nil {
			return "", fmt.Errorf("a go.mod for upstream's fasthttp: %w", err)
		}
		flags = []string{"-modfile", mod}
		want = variant.Contents{Fasthttp: version}
	case side.Copy != "":
		mod, err := b.CopyModfile(side.Name, side.Copy)
		if err != nil {
			return "", fmt.Errorf("a go.mod for %s: %w", side.Copy, err)
		}
		flags = append(flags, "-modfile", mod)
		want.Replaced = side.Copy
	}
	path := filepath.Join(b.Dir, side.Name+"-"+name)
	if _, err := b.Go(ctx, slices.Concat(args, flags, []string{"-o", path, pkg})...); err != nil {
		return "", err
	}
	have, err := variant.Inspect(path)
	if args[0] == "test" {
		have, err = b.Resolve(ctx, flags...)
	}
	if err != nil {
		return "", err
	}
	if want.Fasthttp == "" {
		want.Fasthttp = have.Fasthttp // what a replaced module calls itself means nothing
	}
	if have != want || have.Fasthttp == "" {
		return "", fmt.Errorf("%s was built as %s, but contains %s (build tag %s: %t)", path, side.Name, have, variant.Tag, have.Tagged)
	}
	return path, nil
}
