package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/lab"
)

// labCommand is the command that stops servers under load and counts what their
// clients lose.
func labCommand() *cli.Command {
	return &cli.Command{
		Name:  "lab",
		Usage: "stop servers under load and count what their clients lose",
		Description: "lab builds the example server with upstream's fasthttp and with the patched copy, and a\n" +
			"net/http twin, stops each of them again and again while clients work on it, and counts\n" +
			"what the clients lose. It exits with 1 if the patched server exceeds a limit.\n\n" +
			"Scenarios:\n" + lab.ScenarioHelp() +
			"\nExamples:\n" +
			"  fastdrain lab -rounds 10 -json lab.json\n" +
			"  fastdrain lab -scenario keepalive -rounds 200 -variant patched",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "scenario", Usage: "run only the `NAME`d scenarios (comma-separated, or repeated)"},
			&cli.StringSliceFlag{Name: "variant", Usage: "run only the `NAME`d variants: upstream, patched, nethttp (comma-separated, or repeated)"},
			&cli.IntFlag{Name: "rounds", Usage: "stop each server `N` times in each scenario", Value: lab.DefaultRounds},
			&cli.BoolFlag{Name: "demo", Usage: "choose the rounds so that all of it takes less than two minutes, and say what it showed"},
			&cli.StringFlag{Name: "json", Usage: "write the figures to `FILE` as JSON, too", TakesFile: true},
		},
		Action: runLab,
	}
}

func runLab(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	if cmd.Bool("demo") && cmd.IsSet("rounds") {
		return errors.New("-demo chooses the rounds itself: leave out -demo or -rounds")
	}
	if n := cmd.Int("rounds"); n < 1 {
		return fmt.Errorf("-rounds %d: at least 1 round is needed", n)
	}
	project, err := findProject(cmd)
	if err != nil {
		return err
	}
	options := lab.Options{
		Root:      project.Root,
		Scenarios: cmd.StringSlice("scenario"),
		Variants:  cmd.StringSlice("variant"),
		Demo:      cmd.Bool("demo"),
		JSONFile:  cmd.String("json"),
		Out:       cmd.Root().Writer,
		Progress:  cmd.Root().ErrWriter,
	}
	if cmd.IsSet("rounds") {
		options.Rounds = cmd.Int("rounds")
	}
	return lab.Run(ctx, options)
}
