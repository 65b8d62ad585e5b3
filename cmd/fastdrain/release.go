package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/project"
)

func releaseCommand() *cli.Command {
	return &cli.Command{
		Name:      "release",
		Usage:     "write the patched copy as a version, for a git repository or a module proxy",
		ArgsUsage: "VERSION",
		Description: "With -git, writes the copy of the pinned version as a commit and a tag into a\n" +
			"repository; otherwise as a module zip into a folder with the layout of a module\n" +
			"proxy, to be served, or uploaded to the proxy of your company. Services then need\n" +
			"no copy of their own but one line:\n\n" +
			"   replace github.com/valyala/fasthttp => " + project.ReleaseModule + " VERSION\n\n" +
			"A version that is there already is never changed.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "git", Usage: "write into the git `REPOSITORY`, a URL or a directory"},
			&cli.StringFlag{Name: "o", Usage: "write into `DIR`", Value: "build/proxy"},
			&cli.StringFlag{Name: "module", Usage: "release it as `PATH`", Value: project.ReleaseModule},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := errors.Join(notEmpty(cmd, "git", "repository"), notEmpty(cmd, "o", "directory")); err != nil {
				return err
			}
			p, err := findProject(cmd)
			if err != nil {
				return err
			}
			if cmd.Args().Len() != 1 {
				pin, err := p.Pin()
				if err != nil {
					return err
				}
				return fmt.Errorf("which version? fastdrain release VERSION, such as %s-fastdrain.1", pin.Version)
			}
			if repository := cmd.String("git"); repository != "" {
				if cmd.IsSet("o") || cmd.IsSet("module") {
					return errors.New("-git goes without -o and -module: the module has the path of the repository")
				}
				return releaseGit(ctx, cmd, p, repository)
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

func releaseGit(ctx context.Context, cmd *cli.Command, p *project.Project, repository string) error {
	// git gets it in another directory.
	if _, err := os.Stat(repository); err == nil {
		if repository, err = filepath.Abs(repository); err != nil {
			return err
		}
	}
	version := cmd.Args().First()
	r, err := p.ReleaseGit(ctx, repository, version)
	if err != nil {
		return err
	}
	state := "written"
	if !r.Written {
		state = "there already, the same"
	}
	_, err = fmt.Fprintf(cmd.Root().Writer, "%s with %s in %s: %s\n  commit %s\n", version, count(r.Patches, "patch", "patches"), repository, state, r.Commit)
	return err
}
