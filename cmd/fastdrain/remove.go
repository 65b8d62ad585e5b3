package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/service"
	"github.com/fastdrain/fastdrain/internal/tree"
)

func removeCommand() *cli.Command {
	return &cli.Command{
		Name:  "remove",
		Usage: "take the copy out of a service again",
		Description: "Run it in the directory of the service. It removes the copy that vendor -o wrote\n" +
			"and its replace line. If nothing but vendor and the go command has changed\n" +
			"go.mod since, go.mod and go.sum become byte for byte what they were before. What\n" +
			"somebody has changed stays, and is named.\n\n" +
			"A copy that somebody has edited is not removed, unless with -force.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "force", Usage: "remove an edited copy, too, and show what is lost"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			use, err := service.Find(".")
			if err != nil {
				return err
			}
			unlock, err := service.Lock(ctx, use.Dir)
			if err != nil {
				return err
			}
			defer unlock()
			out := cmd.Root().Writer
			if cmd.Bool("force") {
				if err := showLost(ctx, out, cmd, use.Dir); err != nil {
					return err
				}
			}
			r, err := use.Remove(cmd.Bool("force"))
			if err != nil {
				return err
			}
			reportRemoved(out, r)
			return nil
		},
	}
}

// showLost shows the edits in a copy that is to be removed.
func showLost(ctx context.Context, out io.Writer, cmd *cli.Command, dir string) error {
	edited, err := tree.Edited(dir)
	if err != nil || len(edited) == 0 {
		return err
	}
	p, err := findProject(cmd)
	if err != nil {
		p = nil // then the names have to do
	}
	diffs, err := p.Lost(ctx, dir, edited)
	if err != nil {
		return err
	}
	for _, diff := range diffs {
		fmt.Fprint(out, diff)
	}
	return nil
}

func reportRemoved(out io.Writer, r *service.Removed) {
	dir := filepath.ToSlash(r.Dir) + "/"
	if len(r.Shared) > 0 {
		fmt.Fprintf(out, "%s stays, as %s uses it, too\n", dir, r.Shared[0])
	} else {
		fmt.Fprintf(out, "%s: %s removed\n", dir, count(r.Files, "file", "files"))
	}
	if len(r.Kept) > 0 {
		fmt.Fprintf(out, "%s stays, as it holds files that fastdrain did not write, such as %s\n", dir, r.Kept[0])
	}
	switch {
	case !r.Noted:
		fmt.Fprintf(out, "%s: only the replace line is taken out, as there is no note of what was there before\n", r.GoMod)
	case r.Exact():
		fmt.Fprintf(out, "%s and go.sum are what they were before\n", r.GoMod)
	case len(r.Added)+len(r.Gone) == 0:
		fmt.Fprintf(out, "%s is what it was before; go.sum keeps %s that came since\n", r.GoMod, count(r.Sums, "line", "lines"))
	default:
		fmt.Fprintf(out, "%s: what the copy brought is taken out; what else has changed since stays:\n", r.GoMod)
		for _, line := range r.Added {
			fmt.Fprintf(out, "  + %s\n", line)
		}
		for _, line := range r.Gone {
			fmt.Fprintf(out, "  - %s\n", line)
		}
	}
	for _, why := range r.Why {
		fmt.Fprintf(out, "  %s\n", why)
	}
	switch {
	case r.WorkWhy != "":
		fmt.Fprintf(out, "%s: %s\n", r.Work, r.WorkWhy)
	case r.Work != "":
		fmt.Fprintf(out, "%s: its go line is what it was before\n", r.Work)
	}
	if !r.Exact() {
		fmt.Fprintln(out, "Now run: go mod tidy")
	}
	if r.VendorDir {
		fmt.Fprintln(out, "Now run: go mod vendor")
	}
}
