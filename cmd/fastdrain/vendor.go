package main

import (
	"context"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/follow"
	"github.com/fastdrain/fastdrain/internal/project"
	"github.com/fastdrain/fastdrain/internal/service"
)

func vendorCommand() *cli.Command {
	return &cli.Command{
		Name:  "vendor",
		Usage: "write the patched copy into server/, or into another repository",
		Description: "Takes the pinned upstream version from the Go module cache (the network is\n" +
			"needed only if it is not there), checks its hash, applies PATCHES.md, and\n" +
			"writes the result into server/ beside our files: read-only and ignored by git.\n" +
			"When nothing has changed, nothing is done.\n\n" +
			"With -o it writes a copy with upstream's LICENSE into a directory of another\n" +
			"repository, without tests, and has the go.mod of the working directory use it:\n" +
			"a replace line, and the versions that the copy needs. It says what changes, and\n" +
			"which lines of Dockerfiles and CI files have to follow. remove takes it back.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Usage: "write a complete copy into `DIR`"},
			&cli.StringFlag{Name: "upstream", Usage: "take `VERSION` instead of the pinned one"},
			&cli.BoolFlag{Name: "tests", Usage: "with -o: write tests, their data and examples, too"},
			&cli.BoolFlag{Name: "n", Usage: "with -o: show all of it, and write nothing"},
			&cli.BoolFlag{Name: "force", Usage: "with -o: write over files that somebody has edited, and show what is lost"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := notEmpty(cmd, "o", "directory"); err != nil {
				return err
			}
			p, err := onlyProject(cmd)
			if err != nil {
				return err
			}
			out := cmd.Root().Writer
			if dir := cmd.String("o"); dir != "" {
				return vendorInto(ctx, out, p, intoOptions{
					Into: project.Into{
						Dir:     dir,
						Version: cmd.String("upstream"),
						Tests:   cmd.Bool("tests"),
						Force:   cmd.Bool("force"),
					},
					dryRun: cmd.Bool("n"),
				})
			}
			for _, name := range []string{"tests", "n", "force"} {
				if cmd.Bool(name) {
					return fmt.Errorf("-%s is for a copy elsewhere: give its directory with -o", name)
				}
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

// intoOptions are those of vendor -o.
type intoOptions struct {
	project.Into
	dryRun bool
}

func vendorInto(ctx context.Context, out io.Writer, p *project.Project, o intoOptions) error {
	if !o.dryRun {
		unlock, err := service.Lock(ctx, o.Dir)
		if err != nil {
			return err
		}
		defer unlock()
	}
	in, err := p.PlanInto(ctx, o.Into)
	if err != nil {
		return err
	}
	a, err := service.Plan(ctx, service.Copy{
		Module:  in.Module,
		Version: in.Version,
		Dir:     o.Dir,
		GoMod:   in.Files["go.mod"],
		GoSum:   in.Files["go.sum"],
	})
	if err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	if o.dryRun {
		fmt.Fprintln(out, "Nothing is written, as -n says. It would be:")
	} else {
		if err := in.Write(); err != nil {
			return err
		}
		if err := a.Write(); err != nil {
			return fmt.Errorf("the copy is written, but go.mod is not: %w", err)
		}
	}
	for _, diff := range in.Lost {
		fmt.Fprint(out, diff)
	}
	report(out, filepath.ToSlash(filepath.Clean(o.Dir))+"/", &in.Vendored)
	reportAdoption(out, a, in)
	if err := reportFollowing(ctx, out, a, in, o.Dir); err != nil {
		return err
	}
	if a.GoMod == "" || a.Own {
		return nil
	}
	if len(a.Files()) > 0 || !in.Changes.None() {
		fmt.Fprintln(out, "Now run: go mod tidy")
	}
	if a.VendorDir {
		// Also when only the copy has changed: the vendor folder has another.
		fmt.Fprintln(out, "Now run: go mod vendor")
	}
	return nil
}

// reportAdoption says what becomes of go.mod.
func reportAdoption(out io.Writer, a *service.Adoption, in *project.Intended) {
	name := path.Base(in.Module)
	switch {
	case a.GoMod == "":
		fmt.Fprintf(out, "There is no go.mod above it. Put this line into the one of your service:\n\n\t%s\n\nand then run: go mod tidy\n", a.Line)
		return
	case a.Own:
		fmt.Fprintf(out, "It is inside of this project, whose go.mod is left as it is.\n")
		return
	case len(a.Replaced) > 0:
		for _, line := range a.Replaced {
			fmt.Fprintf(out, "%s: replaced %q by %q\n", a.GoMod, line, a.Line)
		}
	case a.Changed:
		fmt.Fprintf(out, "%s: added %q\n", a.GoMod, a.Line)
	default:
		fmt.Fprintf(out, "%s has the replace line already.\n", a.GoMod)
	}
	if len(a.Raised) > 0 {
		fmt.Fprintln(out, "It asks for other versions now:")
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, r := range a.Raised {
			fmt.Fprintf(w, "  %s\t%s -> %s\n", r.What, orNone(r.Before), orNone(r.After))
		}
		w.Flush()
	}
	if a.Guessed != nil {
		fmt.Fprintf(out, "There may be more, which go mod tidy will show: the go command could not say (%v)\n", a.Guessed)
	}
	if a.Newer != "" {
		fmt.Fprintf(out, "It asks for %s of %s, which is newer than the copy: what is new there is missing. Does the service still compile?\n", a.Newer, name)
	}
	if a.Workspace != "" {
		fmt.Fprintf(out, "In the workspace %s the line holds for all modules; where one is built alone (GOWORK=off), it needs the line, too.\n", a.Workspace)
	}
}

// reportFollowing says what has to follow outside of go.mod.
func reportFollowing(ctx context.Context, out io.Writer, a *service.Adoption, in *project.Intended, dir string) error {
	ignored := service.CheckIgnored(ctx, dir, in.Names())
	if len(ignored) > 0 {
		fmt.Fprintln(out, "Git ignores files of the copy; a clone would be without them, so change these rules:")
		for _, i := range ignored {
			fmt.Fprintf(out, "  %s (%s)\n", i.Rule, i.Name)
		}
	}
	if a.GoMod == "" || a.Own {
		return nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	found, err := follow.Find(follow.Module{Dir: filepath.Dir(a.GoMod), Copy: abs, Go: a.Go})
	if err != nil {
		return fmt.Errorf("the copy is written; looking for what has to follow: %w", err)
	}
	if len(found) > 0 {
		fmt.Fprintf(out, "These lines have to follow (go.mod asks for go %s):\n", a.Go)
		for _, l := range found {
			fmt.Fprintf(out, "  %s:%d: %s\n    %s\n", service.Display(l.File), l.Number, l.Text, l.Do)
		}
	}
	return nil
}

func orNone(v string) string {
	if v == "" {
		return "none"
	}
	return v
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
