package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/project"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "dry run: do the patches apply, and does the result compile?",
		Description: "For each version it says which patches apply, which of the declarations that\n" +
			"they touch have changed since the pin, and whether the result compiles.\n" +
			"A version that cannot be downloaded is named and does not count.\n" +
			"The exit code is 1 if a patch does not apply or the result does not compile.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "upstream", Usage: "check `VERSION`, or a range VERSION..VERSION, instead of the pinned one"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			p, err := findProject(cmd)
			if err != nil {
				return err
			}
			versions, err := p.CheckVersions(ctx, cmd.String("upstream"))
			if err != nil {
				return err
			}
			var results []*project.Checked
			for _, version := range versions {
				r, err := p.Check(ctx, version, func(what string) { fmt.Fprintln(os.Stderr, what+" ...") })
				if err != nil {
					return err
				}
				results = append(results, r)
			}
			return reportChecks(cmd.Root().Writer, results)
		},
	}
}

func reportChecks(out io.Writer, results []*project.Checked) error {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = 0
	t.SetStyle(style)
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 3, Align: text.AlignRight, AlignHeader: text.AlignRight}})
	t.AppendHeader(table.Row{"upstream", "patches", "changed since the pin", "compiles", "result"})
	failed, tried := 0, 0
	for _, r := range results {
		if r.Unavailable != "" {
			t.AppendRow(table.Row{r.Version, "-", "-", "-", "not available"})
			continue
		}
		tried++
		verdict := "ok"
		switch {
		case !r.OK():
			verdict = "FAILED"
			failed++
		case len(r.Changed) > 0:
			verdict = "applies, but changed"
		}
		version := r.Version
		if r.Pinned {
			version += " (pinned)"
		}
		t.AppendRow(table.Row{version, fmt.Sprintf("%d of %d apply", r.Patches-len(r.Failed), r.Patches),
			len(r.Changed), string(r.Compiles), verdict})
	}
	for line := range strings.Lines(t.Render() + "\n") {
		fmt.Fprintln(out, strings.TrimRight(line, " \n"))
	}
	for _, r := range results {
		reportCheck(out, r)
	}
	switch {
	case failed > 0:
		fmt.Fprintf(out, "\n%d of %s failed.\n", failed, count(tried, "version", "versions"))
		return errFailed
	case tried == 0:
		return fmt.Errorf("no version could be checked")
	}
	return nil
}

// reportCheck prints what the table has no room for.
func reportCheck(out io.Writer, r *project.Checked) {
	if r.Unavailable != "" {
		fmt.Fprintf(out, "\n%s is not available: %s\n", r.Version, r.Unavailable)
	}
	if len(r.Errors) > 0 {
		fmt.Fprintf(out, "\n%s: does not apply:\n", r.Version)
		for _, err := range r.Errors {
			fmt.Fprintf(out, "  %v\n", err)
		}
	}
	if len(r.PinStale) > 0 {
		fmt.Fprintf(out, "\n%s: the pin is not up to date, run fastdrain pin:\n", r.Version)
		for _, s := range r.PinStale {
			fmt.Fprintf(out, "  %s\n", s)
		}
	}
	if len(r.Changed) > 0 {
		fmt.Fprintf(out, "\n%s: applies, but changed: read it again:\n", r.Version)
		for _, name := range r.Changed {
			fmt.Fprintf(out, "  %s\n", name)
		}
	}
	switch {
	case r.Compiles == project.CompilesNo:
		fmt.Fprintf(out, "\n%s: does not compile:\n  %s\n", r.Version, strings.ReplaceAll(r.CompileNote, "\n", "\n  "))
	case r.Compiles == project.CompilesUnknown && r.CompileNote != "" && len(r.Errors) == 0:
		fmt.Fprintf(out, "\n%s: not compiled: %s\n", r.Version, r.CompileNote)
	}
}
