// Command window simulates stops of a server, to show what a final-read window
// costs: how many requests are lost, and how long the stop takes. Run it by
// `make window WINDOWFLAGS="..."`.
//
// The rule and the fixed windows are those of the patched copy: what decides is
// its package internal/window itself. The rest is a model. A request that is on
// its way when the server closes its connection is lost; the server's FIN takes
// half a round trip to its client, who sends nothing on the connection from then
// on; a response in the drain says 'Connection: close', and takes the connection
// out of its pool. Nobody retries, nothing is dropped on the way, and a response
// takes 2 ms.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := &cli.Command{
		Name:        "window",
		Usage:       "simulate stops of a server with different final-read windows",
		Description: "Flags may be written with one dash or with two.",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "stops", Value: 100, Usage: "simulate `N` stops of each load; of small ones more, for as many connections"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "begin the random numbers at `N`; the same seed gives the same table"},
			&cli.StringSliceFlag{Name: "rtt", Value: []string{"200us", "20ms", "100ms"}, Usage: "a round trip takes `TIME`; several after a comma"},
			&cli.BoolFlag{Name: "markdown", Usage: "write the tables as Markdown"},
		},
		Action:         run,
		HideVersion:    true,
		ExitErrHandler: func(context.Context, *cli.Command, error) {}, // below
	}
	err := cmd.Run(ctx, os.Args)
	switch {
	case err == nil:
		return
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "window: interrupted")
	default:
		fmt.Fprintln(os.Stderr, "window:", err)
	}
	os.Exit(1)
}

func run(ctx context.Context, cmd *cli.Command) error {
	stops := cmd.Int("stops")
	if stops < 2 {
		return fmt.Errorf("-stops %d: give 2 or more, as the error of a mean needs them", stops)
	}
	if cmd.Args().Present() {
		return fmt.Errorf("%q is no flag: -h lists them", cmd.Args().First())
	}
	var rtts []time.Duration
	for _, text := range cmd.StringSlice("rtt") {
		rtt, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil || rtt <= 0 || rtt > 10*time.Second {
			return fmt.Errorf("-rtt %s: give a time from 1ns to 10s, such as 20ms", text)
		}
		rtts = append(rtts, rtt)
	}
	render := table.Writer.Render
	if cmd.Bool("markdown") {
		render = table.Writer.RenderMarkdown
	}
	out := cmd.Root().Writer
	for _, rtt := range rtts {
		r, err := simulate(ctx, rtt, stops, cmd.Uint64("seed"), progress(cmd.Root().ErrWriter))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "Round trip %v:\n\n%s\n\n%s\n\n", rtt, render(r.lost()), render(r.times()))
	}
	thousands := float64(stops)
	_, err := fmt.Fprintf(out, "%d stops of each load with 1,000 connections or more. ± is the standard error.\n"+
		"0 is none of %.0f,000 connections or more: with 95 %% certainty less than %.2f of 1,000.\n", stops, thousands, 3/thousands)
	return err
}

// simulate measures all loads at one round trip.
func simulate(ctx context.Context, rtt time.Duration, stops int, seed uint64, show func(string)) (*results, error) {
	r := &results{loads: loads()}
	defer show("")
	for i := range r.loads {
		l := &r.loads[i]
		show(fmt.Sprintf("round trip %v, load %d of %d: %s", rtt, i+1, len(r.loads), l.name))
		cells, err := measure(ctx, l, rtt, stopsOf(l, stops), seed)
		if err != nil {
			return nil, err
		}
		r.cells = append(r.cells, cells)
	}
	return r, nil
}

// progress shows what is being done in one line of a terminal; elsewhere the
// tables come one by one, and that is all.
func progress(w io.Writer) func(string) {
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return func(string) {}
	}
	return func(line string) { fmt.Fprintf(f, "\r\x1b[K%s", line) }
}
