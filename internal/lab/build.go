package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fastdrain/fastdrain/internal/variant"
)

// Build builds a variant's server from the checkout in root and returns the path
// of its binary. It fails if the binary does not contain the fasthttp that the
// variant stands for.
func Build(ctx context.Context, root, variant string) (path string, err error) {
	path, err = newBuilder(root).build(ctx, variant)
	if err != nil {
		return "", fmt.Errorf("building the %s server: %w", variant, err)
	}
	return path, nil
}

// builder builds the servers of a project's checkout.
type builder struct {
	variant.Builder
}

func newBuilder(root string) builder {
	return builder{variant.Builder{Root: root, Dir: filepath.Join(root, "bin", "lab")}}
}

func (b builder) build(ctx context.Context, name string) (path string, err error) {
	if err := os.MkdirAll(b.Dir, 0o755); err != nil {
		return "", err
	}
	var args []string
	var version string
	pkg := "./examples/hello"
	switch name {
	case Upstream:
		mod, v, err := b.UpstreamModfile(ctx)
		if err != nil {
			return "", fmt.Errorf("a go.mod for upstream's fasthttp: %w", err)
		}
		version = v
		args = []string{"-modfile", mod}
	case Patched:
		if _, err := os.Stat(filepath.Join(b.Root, "server", "server.go")); errors.Is(err, fs.ErrNotExist) {
			return "", errors.New("the patched copy is not there (server/server.go is missing): run `make server` first")
		}
		args = []string{"-tags", variant.Tag}
	case NetHTTP:
		pkg = "./examples/nethttp"
	default:
		return "", fmt.Errorf("no such variant: %s", name)
	}
	path = filepath.Join(b.Dir, name)
	args = append(append([]string{"build", "-o", path}, args...), pkg)
	if _, err := b.Go(ctx, args...); err != nil {
		return "", err
	}
	if err := verify(path, name, version); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return path, nil
}

// verify checks that the binary contains what the variant stands for.
func verify(path, name, upstreamVersion string) error {
	c, err := variant.Inspect(path)
	if err != nil {
		return err
	}
	ok := false
	switch name {
	case Upstream:
		ok = c.Fasthttp == upstreamVersion && c.Replaced == "" && !c.Tagged
	case Patched:
		ok = c.Fasthttp != "" && c.Replaced == "./server" && c.Tagged
	case NetHTTP:
		ok = c.Fasthttp == ""
	}
	if !ok {
		return fmt.Errorf("built as %q, but contains %s (build tag %s: %t)", name, c, variant.Tag, c.Tagged)
	}
	return nil
}
