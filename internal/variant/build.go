package variant

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Side says which fasthttp a program is built with.
type Side struct {
	// Name is the side's name, in tables and in the names of files.
	Name string
	// Copy is the directory of a patched copy other than the one that go.mod
	// names. It is empty for [Upstream] and [Patched].
	Copy string
}

// Upstream and Patched are upstream's fasthttp, in the version that go.mod asks
// for, and the patched copy that go.mod names.
var (
	Upstream = Side{Name: "upstream"}
	Patched  = Side{Name: "patched"}
)

// Build builds the main package pkg into path. All sides but Upstream get the
// build tag [Tag]; flags are more flags of go build. It is an error if the program
// does not contain the fasthttp that the side stands for.
func (b Builder) Build(ctx context.Context, side Side, path, pkg string, flags ...string) error {
	path, err := filepath.Abs(path) // the go command works in another directory
	if err != nil {
		return err
	}
	sided, want, err := b.flags(ctx, side)
	if err != nil {
		return err
	}
	if _, err := b.Go(ctx, slices.Concat([]string{"build", "-o", path}, sided, flags, []string{pkg})...); err != nil {
		return err
	}
	have, err := Inspect(path)
	if err != nil {
		return err
	}
	return want.check(path, side, have)
}

// BuildTests builds the test binary of pkg into path, and is like [Builder.Build]
// otherwise.
func (b Builder) BuildTests(ctx context.Context, side Side, path, pkg string) error {
	path, err := filepath.Abs(path) // the go command works in another directory
	if err != nil {
		return err
	}
	sided, want, err := b.flags(ctx, side)
	if err != nil {
		return err
	}
	if _, err := b.Go(ctx, slices.Concat([]string{"test", "-c", "-o", path}, sided, []string{pkg})...); err != nil {
		return err
	}
	have, err := b.Resolve(ctx, sided...)
	if err != nil {
		return err
	}
	return want.check(path, side, have)
}

// flags are the flags of the go command for a side, and what is in a program that
// is built with them.
func (b Builder) flags(ctx context.Context, side Side) (flags []string, want Contents, err error) {
	mod, err := readModfile(filepath.Join(b.Root, "go.mod"))
	if err != nil {
		return nil, want, err
	}
	tags := b.Tags
	switch {
	case side == Upstream:
		path, version, err := b.UpstreamModfile(ctx)
		if err != nil {
			return nil, want, fmt.Errorf("a go.mod for upstream's fasthttp: %w", err)
		}
		flags = []string{"-modfile", path}
		want.Fasthttp = version
	case side.Copy != "":
		path, err := b.CopyModfile(side.Name, side.Copy)
		if err != nil {
			return nil, want, fmt.Errorf("a go.mod for %s: %w", side.Copy, err)
		}
		flags = []string{"-modfile", path}
		want.Replaced, err = filepath.Abs(side.Copy)
		if err != nil {
			return nil, want, err
		}
	default:
		want.Replaced = replaced(mod)
		server := filepath.Join(b.Root, filepath.FromSlash(want.Replaced), "server.go")
		if _, err := os.Stat(server); err != nil {
			return nil, want, fmt.Errorf("the patched copy is not there: run `make server` first (%w)", err)
		}
	}
	if side != Upstream {
		want.Tagged = true
		tags = append([]string{Tag}, tags...)
	}
	if len(tags) > 0 {
		flags = append(flags, "-tags", strings.Join(tags, ","))
	}
	return flags, want, nil
}

// check is an error if a program that was built as a side contains something else.
func (want Contents) check(path string, side Side, have Contents) error {
	if want.Fasthttp == "" && have.Fasthttp != "" {
		want.Fasthttp = have.Fasthttp // what a replaced module calls itself means nothing
	}
	if have != want || have.Fasthttp == "" {
		return fmt.Errorf("%s was built as %s, but contains %s (build tag %s: %t)", path, side.Name, have, Tag, have.Tagged)
	}
	return nil
}
