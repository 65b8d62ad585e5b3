package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/project"
)

func removeCommand() *cli.Command {
	return &cli.Command{
		Name:  "remove",
		Usage: "take the copy out of a service again",
		Description: "Run it in the directory of the service. It removes the copy that vendor -o wrote\n" +
			"and its replace line. If nothing but the go command has changed go.mod since,\n" +
			"go.mod and go.sum become byte for byte what they were before.\n\n" +
			"A copy that somebody has edited is not removed.",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			r, err := project.Remove(".")
			if err != nil {
				return err
			}
			out := cmd.Root().Writer
			fmt.Fprintf(out, "%s/: %s removed\n", filepath.ToSlash(r.Dir), count(r.Files, "file", "files"))
			if len(r.Kept) > 0 {
				fmt.Fprintf(out, "%s/ stays, as it holds files that fastdrain did not write, such as %s\n", filepath.ToSlash(r.Dir), r.Kept[0])
			}
			if r.Exact {
				fmt.Fprintf(out, "%s and go.sum are what they were before\n", r.GoMod)
			} else {
				fmt.Fprintf(out, "%s: the replace line is what it was before\nNow run: go mod tidy\n", r.GoMod)
			}
			if r.VendorDir {
				fmt.Fprintln(out, "Now run: go mod vendor")
			}
			return nil
		},
	}
}
