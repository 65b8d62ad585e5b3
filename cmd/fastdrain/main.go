// Command fastdrain makes, checks and measures a patched copy of fasthttp whose
// server stops without losing a request.
//
// Run fastdrain -h for its commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v3"
)

func main() {
	vetTool(os.Args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(leaveWith(ctx), os.Args))
}

// commands are the commands in the order of the help. Each is made by a function
// in a file of its name.
func commands() []*cli.Command {
	return []*cli.Command{
		vendorCommand(),
		doctorCommand(),
		verifyCommand(),
		vulncheckCommand(),
		removeCommand(),
		probeCommand(),
		checkCommand(),
		diffCommand(),
		pinCommand(),
		upgradeCommand(),
		releaseCommand(),
		labCommand(),
	}
}

// errFailed ends the command with exit code 1 when all has been said already.
var errFailed = errors.New("failed")

func run(ctx context.Context, args []string) int {
	cmd := &cli.Command{
		Name:  "fastdrain",
		Usage: "a patched copy of fasthttp that stops without losing a request",
		Description: "Flags may be written with one dash or with two.\n" +
			"The commands work on the project that the working directory is in, or on the\n" +
			"one that this command was built in; without a clone, those that need none work\n" +
			"on what the command carries.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "C", Usage: "work on the project in `DIR`"},
		},
		Commands:              commands(),
		Action:                noCommand,
		OnUsageError:          usageError,
		HideVersion:           true,
		EnableShellCompletion: true,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {}, // below
	}
	for _, c := range cmd.Commands {
		if c.OnUsageError == nil {
			c.OnUsageError = usageError
		}
	}
	err := cmd.Run(ctx, args)
	err = errors.Join(err, removeCarried())
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFailed):
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "fastdrain: interrupted")
	default:
		fmt.Fprintln(os.Stderr, "fastdrain:", err)
	}
	var code cli.ExitCoder
	if errors.As(err, &code) {
		// That of git, or of the go command, is not ours.
		if _, child := code.(*exec.ExitError); !child {
			return code.ExitCode()
		}
	}
	return 1
}

// noCommand shows the help, and says of a name that it is no command.
func noCommand(_ context.Context, cmd *cli.Command) error {
	if cmd.Args().Present() {
		return fmt.Errorf("there is no command %q (see fastdrain -h)", cmd.Args().First())
	}
	return cli.ShowRootCommandHelp(cmd)
}

// usageError says what is wrong with a flag, and where the flags are explained: the
// help itself would stand in what a script reads.
func usageError(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	return fmt.Errorf("%w (see %s -h)", err, cmd.FullName())
}

// notEmpty is an error if a flag was given without a value, as by a variable of the
// shell that is empty: what it stands for is neither there nor the default.
func notEmpty(cmd *cli.Command, flag, what string) error {
	if cmd.IsSet(flag) && cmd.String(flag) == "" {
		return fmt.Errorf("-%s is empty: give it a %s, or leave it out", flag, what)
	}
	return nil
}

// noArguments is an error if there are arguments: most often a flag's value that
// was given without the flag.
func noArguments(cmd *cli.Command) error {
	if cmd.Args().Present() {
		return fmt.Errorf("%s takes no argument, but there is %q (see fastdrain %s -h)", cmd.Name, cmd.Args().First(), cmd.Name)
	}
	return nil
}
