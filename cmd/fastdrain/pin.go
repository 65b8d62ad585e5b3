package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/urfave/cli/v3"
)

func pinCommand() *cli.Command {
	return &cli.Command{
		Name:      "pin",
		Usage:     "set the upstream version, and note what the patches touch in it",
		ArgsUsage: "[VERSION]",
		Description: "Downloads the version, makes sure that all patches apply, writes its hash and\n" +
			"the hashes of what they touch and depend on into server/pin.json, and the Watch\n" +
			"lines of PATCHES.md. It names what has to be read again, as it has changed since\n" +
			"the version pinned before. Without VERSION it takes the pinned one, which is\n" +
			"what is needed when PATCHES.md or our files depend on other things than before.",
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
				fmt.Fprintf(out, "\nWhat is patched or watched and has changed since %s:\n", old.Version)
				for _, name := range changed {
					fmt.Fprintln(out, "  "+name)
				}
			}
			if len(pin.Unread) > 0 {
				fmt.Fprintln(out, "\nRead again (fastdrain check shows how it has changed), then run fastdrain check -read:")
				for _, name := range slices.Sorted(maps.Keys(pin.Unread)) {
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
