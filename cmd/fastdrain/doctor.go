package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/doctor"
	"github.com/fastdrain/fastdrain/internal/project"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "is this binary built with the patched copy, and will it drain on SIGTERM?",
		ArgsUsage: "BINARY|DIR...",
		Description: "Reads binaries, of any platform, stripped or not, and runs nothing. It says which\n" +
			"fasthttp is in them, with which patches, and which signals they ask for. In the\n" +
			"directory of the service it also looks at the folder of the copy.\n\n" +
			"Of a directory it looks through the Go packages in it and below it, for what\n" +
			"loses requests at a stop whatever the server does. The same runs as a vet tool:\n" +
			"go vet -vettool=$(which fastdrain) ./...\n\n" +
			"The exit code is 1 if a binary is not made with the patched copy, or with an\n" +
			"edited one, or with one that is older than what go.mod asks for; if nothing in it\n" +
			"asks for SIGTERM or calls Shutdown, or it is a prefork; and if something is found\n" +
			"in the sources. What a binary does not tell is said, and is no failure.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "module", Usage: "look for the copy of `MODULE`", Value: project.DefaultUpstream},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return errors.New("which binary? fastdrain doctor BINARY")
			}
			out := cmd.Root().Writer
			failed, sound := false, ""
			for _, name := range cmd.Args().Slice() {
				if info, err := os.Stat(name); err == nil && info.IsDir() {
					found, err := doctor.Sources(ctx, name)
					if err != nil {
						return err
					}
					reportFindings(out, name, found)
					failed = failed || len(found) > 0
					continue
				}
				d, err := doctor.Examine(name, cmd.String("module"), ".", filepath.Dir(name))
				if err != nil {
					return err
				}
				reportDiagnosis(out, name, d)
				if d.Err() != nil {
					failed = true
				} else {
					sound = name
				}
			}
			if failed {
				return errFailed
			}
			if sound != "" {
				fmt.Fprintf(out, "To see it proved: %s\n", proof(cmd, sound))
			}
			return nil
		},
	}
}

// proof is the command that stops a server under load.
func proof(cmd *cli.Command, binary string) string {
	if cmd.Root().Command("probe") != nil {
		if filepath.Base(binary) == binary { // a name alone is looked for in PATH
			binary = "." + string(filepath.Separator) + binary
		}
		return "fastdrain probe -- " + binary
	}
	return "fastdrain lab"
}

func reportFindings(out io.Writer, dir string, found []doctor.Finding) {
	if len(found) == 0 {
		fmt.Fprintf(out, "%s: ok: nothing in its sources that is known to lose requests at a stop\n", dir)
		return
	}
	fmt.Fprintf(out, "%s: NOT OK: %s\n", dir, count(len(found), "finding", "findings"))
	for _, f := range found {
		fmt.Fprintf(out, "  %s: %s (%s)\n", f.Position, f.Message, f.Analyzer)
	}
}

func reportDiagnosis(out io.Writer, file string, d *doctor.Diagnosis) {
	name := path.Base(d.Module)
	problems := d.Problems()
	switch {
	case d.Version == "":
		fmt.Fprintf(out, "%s: NOT OK: there is no %s in it\n", file, name)
		return
	case d.Stamp == nil:
		fmt.Fprintf(out, "%s: NOT OK: not the patched %s\n", file, name)
	case len(problems) > 0:
		fmt.Fprintf(out, "%s: NOT OK: patched, but %v\n", file, problems[0].Err)
		for _, p := range problems[1:] {
			fmt.Fprintf(out, "  and:      %v\n", p.Err)
		}
	default:
		fmt.Fprintf(out, "%s: ok: the patched %s\n", file, name)
	}
	for _, p := range problems {
		fmt.Fprintf(out, "  to do:    %s\n", p.Do)
	}
	source := d.Version
	if d.Replaced != "" {
		source += " => " + d.Replaced
	}
	fmt.Fprintf(out, "  go.mod:   %s %s\n", d.Module, source)
	if d.Stamp == nil {
		return
	}
	fmt.Fprintf(out, "  upstream: %s\n", strings.Replace(d.Stamp.Upstream, "@", " ", 1))
	fmt.Fprintf(out, "  patches:  %d (%s): %s\n", len(d.Stamp.Patches), d.Stamp.Sum, strings.Join(d.Stamp.Patches, ", "))
	if asked := d.Asked(); len(asked) > 0 {
		fmt.Fprintf(out, "  signals:  %s\n", strings.Join(asked, "; "))
	}
	for _, what := range d.Unknown() {
		fmt.Fprintf(out, "  unknown:  %s\n", what)
	}
}
