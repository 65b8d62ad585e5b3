package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/upgrade"
)

// suitesForTests names a command that takes the place of the suites, which take
// many minutes, in our own tests of upgrade.
const suitesForTests = "FASTDRAIN_TEST_SUITES"

func upgradeCommand() *cli.Command {
	return &cli.Command{
		Name:      "upgrade",
		Usage:     "move the project to an upstream version, all or nothing",
		ArgsUsage: "VERSION",
		Description: "Works in a scratch copy, in build/upgrade: pins and patches the version, raises\n" +
			"the requirements, brings README.md and CONTRIBUTING.md up to date, and runs our\n" +
			"tests and upstream's suite on it and on the older versions that are supported.\n" +
			"Only when all of that has passed are the files written into the project. When it\n" +
			"fails or is interrupted, nothing has changed; the same command goes on where it\n" +
			"was, unless a file of the project has changed since.\n\n" +
			"What has changed under our patches stays on a list in the pin, and check fails,\n" +
			"until fastdrain check -read says that it has been read.",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Len() != 1 {
				return fmt.Errorf("upgrade takes one version, as in: fastdrain upgrade v1.2.3")
			}
			p, err := findProject(cmd)
			if err != nil {
				return err
			}
			u := &upgrade.Upgrade{
				Project: p,
				Version: cmd.Args().First(),
				Suites:  upgrade.Suites(),
				Say:     func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
			}
			if suite := os.Getenv(suitesForTests); suite != "" {
				u.Suites = [][]string{strings.Fields(suite)}
			}
			done, err := u.Run(ctx)
			if err != nil {
				return err
			}
			out := cmd.Root().Writer
			list := func(head string, lines []string) {
				if len(lines) > 0 {
					fmt.Fprintf(out, "\n%s\n  %s\n", head, strings.Join(lines, "\n  "))
				}
			}
			fmt.Fprintf(out, "upgraded to %s\n", u.Version)
			list("Written:", done.Written)
			list("Read again, then say so with fastdrain check -read (fastdrain check shows the changes):", done.Unread)
			list("Left alone, as they may speak of the past; look at them:", done.Mentions)
			fmt.Fprintln(out, "\nStill to do by hand: \"Drop when\" in PATCHES.md, an entry in CHANGELOG.md, the figures\n"+
				"(make bench-results), docs/anchors.md (make anchors). Then make test, and commit.")
			return nil
		},
	}
}
