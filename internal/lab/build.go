package lab

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/fastdrain/fastdrain/internal/variant"
)

// Build builds a variant's server from the checkout in root and returns the path
// of its binary. It fails if the binary does not contain the fasthttp that the
// variant stands for.
func Build(ctx context.Context, root, name string) (path string, err error) {
	b := variant.Builder{Root: filepath.Join(root, "examples"), Dir: filepath.Join(root, "bin", "lab")}
	path, err = filepath.Abs(filepath.Join(b.Dir, name))
	if err != nil {
		return "", err
	}
	switch name {
	case Upstream:
		err = b.Build(ctx, variant.Upstream, path, "./hello")
	case Patched:
		err = b.Build(ctx, variant.Patched, path, "./hello")
	case NetHTTP:
		err = buildWithout(ctx, b, path, "./nethttp")
	default:
		err = fmt.Errorf("no such variant: %s", name)
	}
	if err != nil {
		return "", fmt.Errorf("building the %s server: %w", name, err)
	}
	return path, nil
}

// buildWithout builds a program that must not contain fasthttp.
func buildWithout(ctx context.Context, b variant.Builder, path, pkg string) error {
	if _, err := b.Go(ctx, "build", "-o", path, pkg); err != nil {
		return err
	}
	c, err := variant.Inspect(path)
	if err == nil && c.Fasthttp != "" {
		err = fmt.Errorf("%s contains %s", path, c)
	}
	return err
}
