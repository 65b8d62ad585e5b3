package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v3"
)

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "is this folder upstream's version and our patches, and nothing else?",
		ArgsUsage: "DIR",
		Description: "Takes the upstream version from the module cache or the module proxy, checks its\n" +
			"hash, patches it anew, and compares the folder with it byte by byte. It does not\n" +
			"trust what the folder says of itself but for its version. Tests, testdata, examples\n" +
			"and documents may be missing, and lines may end as on Windows; a file of somebody\n" +
			"else may not be there.\n\n" +
			"The exit code is 1 if something differs.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "upstream", Usage: "compare with `VERSION`, and not with the one that the folder says it is"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Len() != 1 {
				return errors.New("which folder? fastdrain verify third_party/fasthttp")
			}
			p, err := findProject(cmd)
			if err != nil {
				return err
			}
			dir := cmd.Args().First()
			v, err := p.Verify(ctx, dir, cmd.String("upstream"))
			if err != nil {
				return err
			}
			out := cmd.Root().Writer
			what := fmt.Sprintf("%s %s with our patches", v.Module, v.Version)
			if v.OK() {
				fmt.Fprintf(out, "%s: ok: %s, and nothing else: %s compared\n", dir, what, count(v.Same, "file", "files"))
				if !v.Pinned {
					fmt.Fprintf(out, "%s is not the pinned version: its hash was checked by the go command, not against the pin\n", v.Version)
				}
				return nil
			}
			fmt.Fprintf(out, "%s: NOT OK: not %s\n", dir, what)
			listFiles(out, "changed", v.Changed)
			listFiles(out, "missing", v.Missing)
			listFiles(out, "foreign", v.Foreign)
			if v.OtherPatches {
				fmt.Fprintln(out, "It was written with other patches: compare it with the fastdrain that wrote it, or write it anew with this one.")
			}
			return errFailed
		},
	}
}

func listFiles(out io.Writer, what string, files []string) {
	for _, name := range files {
		fmt.Fprintf(out, "  %s: %s\n", what, name)
	}
}
