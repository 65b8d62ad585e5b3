package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/project"
	"github.com/fastdrain/fastdrain/internal/vulncheck"
)

func vulncheckCommand() *cli.Command {
	return &cli.Command{
		Name:      "vulncheck",
		Usage:     "ask govulncheck about a binary, with the fasthttp that is really in it",
		ArgsUsage: "BINARY...",
		Description: "govulncheck finds nothing in a module that go.mod replaces, by a folder or by\n" +
			"another module (https://go.dev/issue/68254). This takes govulncheck " + vulncheck.Govulncheck + " from the\n" +
			"module proxy, has it extract what the binary holds, names the upstream version that\n" +
			"the copy is made of, and has it look for advisories: in https://vuln.go.dev, or in\n" +
			"the database that GOVULNDB names (file:///DIR, where there is no network).\n\n" +
			"The exit code is 1 if something is found.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "module", Usage: "the copy is one of `MODULE`", Value: project.DefaultUpstream},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return errors.New("which binary? fastdrain vulncheck BINARY")
			}
			s, err := vulncheck.NewScanner(ctx)
			if err != nil {
				return err
			}
			defer s.Close()
			s.Out, s.Err = cmd.Root().Writer, cmd.Root().ErrWriter
			var found []string
			for _, file := range cmd.Args().Slice() {
				version, err := s.Binary(ctx, file, cmd.String("module"))
				switch {
				case errors.Is(err, vulncheck.ErrFound):
					found = append(found, file)
				case err != nil:
					return fmt.Errorf("%s: %w", file, err)
				}
				fmt.Fprintf(s.Out, "%s: scanned with %s %s, of which its copy is made\n", file, cmd.String("module"), version)
			}
			if len(found) > 0 {
				fmt.Fprintf(s.Out, "NOT OK: vulnerabilities found in %s\n", strings.Join(found, ", "))
				return errFailed
			}
			return nil
		},
	}
}
