package main

import (
	"context"
	"fmt"
	"io"
	"path"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/project"
)

func vendorCommand() *cli.Command {
	return &cli.Command{
		Name:  "vendor",
		Usage: "write the patched copy into server/, or into another repository",
		Description: "Takes the pinned upstream version from the Go module cache (the network is\n" +
			"needed only if it is not there), checks its hash, applies PATCHES.md, and\n" +
			"writes the result into server/ beside our files: read-only and ignored by git.\n" +
			"When nothing has changed, nothing is done.\n\n" +
			"With -o it writes a complete copy with upstream's LICENSE into a directory of\n" +
			"another repository, and sets the replace line in the go.mod above it.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Usage: "write a complete copy into `DIR`"},
			&cli.StringFlag{Name: "upstream", Usage: "take `VERSION` instead of the pinned one"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			p, err := findProject(cmd)
			if err != nil {
				return err
			}
			out := cmd.Root().Writer
			if dir := cmd.String("o"); dir != "" {
				return vendorInto(ctx, out, p, dir, cmd.String("upstream"))
			}
			v, err := p.Vendor(ctx, cmd.String("upstream"))
			if err != nil {
				return err
			}
			report(out, "server/", v)
			return nil
		},
	}
}

func vendorInto(ctx context.Context, out io.Writer, p *project.Project, dir, version string) error {
	v, err := p.VendorInto(ctx, dir, version)
	if err != nil {
		return err
	}
	report(out, filepath.ToSlash(filepath.Clean(dir))+"/", v)
	r, err := project.SetReplace(v.Module, v.Version, dir)
	if err != nil {
		return fmt.Errorf("the copy is written, but its replace line is not: %w", err)
	}
	switch {
	case r.GoMod == "":
		fmt.Fprintf(out, "There is no go.mod above it. Put this line into the one of your service:\n\n\t%s\n\nand then run: go mod tidy\n", r.Line)
		return nil
	case r.Own:
		fmt.Fprintf(out, "It is inside of this project, whose go.mod is left as it is.\n")
		return nil
	case r.Changed:
		fmt.Fprintf(out, "%s: added %q\n", r.GoMod, r.Line)
	default:
		fmt.Fprintf(out, "%s has the replace line already.\n", r.GoMod)
	}
	if r.Newer != "" {
		fmt.Fprintf(out, "It asks for %s of %s, which is newer than the copy: what is new there is missing. Does the service still compile?\n", r.Newer, path.Base(v.Module))
	}
	if r.Workspace != "" {
		fmt.Fprintf(out, "In the workspace %s the line holds for all modules; where one is built alone (GOWORK=off), it needs the line, too.\n", r.Workspace)
	}
	if r.Changed || !v.Changes.None() {
		fmt.Fprintln(out, "Now run: go mod tidy")
	}
	if r.VendorDir {
		// Also when only the copy has changed: the vendor folder has another.
		fmt.Fprintln(out, "Now run: go mod vendor")
	}
	return nil
}

// report says what vendor did.
func report(out io.Writer, dir string, v *project.Vendored) {
	name := path.Base(v.Module) + " " + v.Version
	if v.Changes.None() {
		fmt.Fprintf(out, "%s is up to date: %s with %s\n", dir, name, count(v.Patches, "patch", "patches"))
	} else {
		fmt.Fprintf(out, "%s: %s with %s: %s written, %d removed\n", dir, name,
			count(v.Patches, "patch", "patches"), count(len(v.Changes.Written), "file", "files"), len(v.Changes.Removed))
	}
	if !v.Pinned {
		fmt.Fprintf(out, "%s is not the pinned version: its hash was checked by the go command, not against the pin\n", v.Version)
		if dir == "server/" {
			fmt.Fprintln(out, "server/go.mod and server/go.sum, which git tracks, are those of this version; fastdrain vendor goes back to the pinned one")
		}
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
