package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/project"
)

func releaseCommand() *cli.Command {
	return &cli.Command{
		Name:      "release",
		Usage:     "write the patched copy as a version for a module proxy",
		ArgsUsage: "VERSION",
		Description: "Writes the copy of the pinned version as a module zip into a folder with the\n" +
			"layout of a module proxy. Serve that folder, or upload the files to the proxy of\n" +
			"your company; services then need no copy of their own but one line:\n\n" +
			"   replace github.com/valyala/fasthttp => " + project.ReleaseModule + " VERSION\n\n" +
			"The same sources make the same bytes, and a version that is there already is\n" +
			"never changed.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Usage: "write into `DIR`", Value: "build/proxy"},
			&cli.StringFlag{Name: "module", Usage: "release it as `PATH`", Value: project.ReleaseModule},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Len() != 1 {
				return errors.New("which version? fastdrain release VERSION, such as v1.77.0-fastdrain.1")
			}
			p, err := findProject(cmd)
			if err != nil {
				return err
			}
			dir := cmd.String("o")
			if !cmd.IsSet("o") {
				dir = filepath.Join(p.Root, dir)
			}
			r, err := p.Release(ctx, dir, cmd.String("module"), cmd.Args().First())
			if err != nil {
				return err
			}
			abs, err := filepath.Abs(dir)
			if err != nil {
				return err
			}
			out := cmd.Root().Writer
			state := "written"
			if !r.Written {
				state = "there already, the same"
			}
			fmt.Fprintf(out, "%s with %s: %s\n", r.Module, count(r.Patches, "patch", "patches"), state)
			for _, file := range r.Files {
				fmt.Fprintln(out, "  "+file)
			}
			fmt.Fprintf(out, "  %s %s %s\n\n", r.Module.Path, r.Module.Version, r.Sum)
			fmt.Fprintf(out, "In the go.mod of a service:\n\n\t%s\n\nTo try it:\n\n"+
				"\tGOPROXY=file://%s,$(go env GOPROXY) GONOSUMDB=%s go mod tidy\n", r.Replace, filepath.ToSlash(abs), r.Module.Path)
			return nil
		},
	}
}
