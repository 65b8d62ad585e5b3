package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"
)

func pinCommand() *cli.Command {
	return &cli.Command{
		Name:      "pin",
		Usage:     "set the upstream version, and note what the patches touch in it",
		ArgsUsage: "[VERSION]",
		Description: "Downloads the version, makes sure that all patches apply, and writes its hash\n" +
			"and the hashes of the declarations that they touch into server/pin.json. It\n" +
			"names those that have changed since the version pinned before: read them\n" +
			"again. Without VERSION it takes the pinned one, which is what is needed when\n" +
			"PATCHES.md touches other declarations than before.",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Len() > 1 {
				return fmt.Errorf("pin takes one version, but there are %d arguments", cmd.Args().Len())
			}
			p, err := findProject(cmd)
			if err != nil {
				return err
			}
			old, pin, changed, err := p.Repin(ctx, cmd.Args().First())
			if err != nil {
				return err
			}
			out := cmd.Root().Writer
			fmt.Fprintf(out, "pinned %s %s (%s), %s\n", pin.Module, pin.Version, pin.Sum, count(len(pin.Declarations), "patched declaration", "patched declarations"))
			if len(changed) > 0 {
				fmt.Fprintf(out, "\nThe patches apply, but these declarations have changed since %s. Read them again:\n", old.Version)
				for _, name := range changed {
					fmt.Fprintln(out, "  "+name)
				}
			}
			if old == nil || old.Version != pin.Version {
				fmt.Fprintln(out, "Now run: make server")
			}
			return nil
		},
	}
}
