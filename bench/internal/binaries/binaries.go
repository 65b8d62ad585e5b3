// Package binaries builds what is measured, once for each side.
package binaries

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/fastdrain/fastdrain/internal/variant"
)

// Builder builds into a directory of the checkout.
type Builder struct {
	variant.Builder
}

// New returns a Builder for the project at root.
func New(root string) Builder {
	return Builder{variant.Builder{
		Root: filepath.Join(root, "bench"),
		Dir:  filepath.Join(root, "bin", "bench"),
		// A C library would add its own start to every run.
		Env: []string{"CGO_ENABLED=0"},
	}}
}

// Program builds a main package and returns the path of the binary.
func (b Builder) Program(ctx context.Context, side variant.Side, pkg string) (string, error) {
	path := filepath.Join(b.Dir, side.Name+"-"+filepath.Base(pkg))
	return path, b.Build(ctx, side, path, pkg)
}

// Layout builds a main package with its functions in an order of its own, by a number
// other than 0, and returns the path of the binary. Where the code happens to lie decides
// over more of the time of a tight loop than what a change of it costs.
func (b Builder) Layout(ctx context.Context, side variant.Side, pkg string, number int) (string, error) {
	path := filepath.Join(b.Dir, fmt.Sprintf("%s-%s-%d", side.Name, filepath.Base(pkg), number))
	return path, b.Build(ctx, side, path, pkg, fmt.Sprintf("-ldflags=-randlayout=%d", number))
}

// Tests builds the test binary of a package and returns its path.
func (b Builder) Tests(ctx context.Context, side variant.Side, pkg string) (string, error) {
	path := filepath.Join(b.Dir, side.Name+"-"+filepath.Base(pkg)+".test")
	return path, b.BuildTests(ctx, side, path, pkg)
}
