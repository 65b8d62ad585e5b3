package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/doctor"
	"github.com/fastdrain/fastdrain/internal/project"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "is this binary really built with the patched copy?",
		ArgsUsage: "BINARY...",
		Description: "Reads binaries, of any platform, stripped or not, and says which fasthttp is in\n" +
			"them, and with which patches. It runs nothing and needs no sources.\n\n" +
			"The exit code is 1 if one of them is not made with the patched copy, or if\n" +
			"nothing in it can call Shutdown.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "module", Usage: "look for the copy of `MODULE`", Value: project.DefaultUpstream},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return errors.New("which binary? fastdrain doctor BINARY")
			}
			failed := false
			for _, file := range cmd.Args().Slice() {
				d, err := doctor.Examine(file, cmd.String("module"))
				if err != nil {
					return err
				}
				reportDiagnosis(cmd.Root().Writer, file, d)
				failed = failed || d.Err() != nil
			}
			if failed {
				return errFailed
			}
			return nil
		},
	}
}

func reportDiagnosis(out io.Writer, file string, d *doctor.Diagnosis) {
	name := path.Base(d.Module)
	verdict := "ok: "
	if d.Err() != nil {
		verdict = "NOT OK: "
	}
	switch err := d.Err(); {
	case errors.Is(err, doctor.ErrNoModule):
		fmt.Fprintf(out, "%s: %sthere is no %s in it\n", file, verdict, name)
		return
	case errors.Is(err, doctor.ErrNotPatched):
		fmt.Fprintf(out, "%s: %snot the patched %s\n", file, verdict, name)
	case errors.Is(err, doctor.ErrNeverStops):
		fmt.Fprintf(out, "%s: %spatched, but %v: call it on SIGTERM, for example with package drainrun\n", file, verdict, err)
	default:
		fmt.Fprintf(out, "%s: %sthe patched %s\n", file, verdict, name)
	}
	source := d.Version
	if d.Replaced != "" {
		source += " => " + d.Replaced
	}
	fmt.Fprintf(out, "  go.mod:   %s %s\n", d.Module, source)
	if d.Stamp == nil {
		fmt.Fprintf(out, "  to do:    fastdrain vendor -o third_party/%s in the directory of the service, then build again\n", name)
		return
	}
	fmt.Fprintf(out, "  upstream: %s\n", strings.Replace(d.Stamp.Upstream, "@", " ", 1))
	fmt.Fprintf(out, "  patches:  %d (%s): %s\n", len(d.Stamp.Patches), d.Stamp.Sum, strings.Join(d.Stamp.Patches, ", "))
}
