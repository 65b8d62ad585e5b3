// Command bench measures the patched server against upstream's, side by side on
// the machine that it runs on, and says whether the limits are kept.
//
// Run it by `make bench BENCHFLAGS="..."`, which prepares the patched copy: ten
// minutes, and an hour with -long, as for the results that the project shows. It
// measures in several parts, chosen by -only:
//
//   - instructions: instructions, atomic read-modify-writes and allocations of a
//     request, under valgrind; exact on a noisy machine
//   - time: nanoseconds and bytes of a request, by interleaved runs
//   - sockets: requests per second and latency over real sockets, by wrk
//   - drain: how long a stop takes with many connections, and what they cost
//   - snapshot: what ConnStats and a scrape take with many connections
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := &cli.Command{
		Name:           "bench",
		Usage:          "measure the patched server against upstream's",
		Description:    "Flags may be written with one dash or with two.\n\nParts:\n" + partHelp() + "\nWorkloads:\n" + workloadHelp(),
		Flags:          flags(),
		Action:         runCommand,
		HideVersion:    true,
		ExitErrHandler: func(context.Context, *cli.Command, error) {}, // below
	}
	err := cmd.Run(ctx, os.Args)
	switch {
	case err == nil:
		return
	case ctx.Err() != nil && !errors.Is(err, errLimit):
		fmt.Fprintln(os.Stderr, "bench: interrupted")
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	os.Exit(1)
}
