package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
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
		Description: "For each version it says which patches apply, how many of the declarations that\n" +
			"they touch or that are watched have changed since the pin, and whether the\n" +
			"result compiles. A statement that a patch depends on, or a watched\n" +
			"declaration, that is another has to be read again; its diff comes first. For a\n" +
			"patch that does not apply it shows the place in both versions and a block to\n" +
			"begin with. A version that cannot be downloaded is named and does not count.\n" +
			"The exit code is 1 if a patch does not apply, the result does not compile, or\n" +
			"something has to be read again.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "upstream", Usage: "check `VERSION`, a range VERSION..VERSION, or newest, instead of the pinned one"},
			&cli.BoolFlag{Name: "read", Usage: "note in the pin that what has changed in these versions has been read"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			p, err := onlyProject(cmd)
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
				if cmd.Bool("read") && r.Unavailable == "" {
					if err := p.MarkRead(r); err != nil {
						return err
					}
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
	failed, again, tried := 0, 0, 0
	for _, r := range results {
		if r.Unavailable != "" {
			t.AppendRow(table.Row{r.Version, "-", "-", "-", "not available"})
			continue
		}
		tried++
		verdict := "ok"
		switch {
		case !r.Applies() || len(r.PinStale) > 0:
			verdict = "FAILED"
			failed++
		case !r.OK():
			verdict = "read again"
			again++
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
	case again > 0:
		fmt.Fprintf(out, "\n%d of %s to read again; when that is done: fastdrain check -upstream VERSION -read\n", again, count(tried, "version", "versions"))
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
	for _, h := range r.Help {
		reportHelp(out, r.Version, h)
	}
	if len(r.PinStale) > 0 {
		fmt.Fprintf(out, "\n%s: the pin is not up to date, run fastdrain pin:\n", r.Version)
		for _, s := range r.PinStale {
			fmt.Fprintf(out, "  %s\n", s)
		}
	}
	if len(r.Again) > 0 {
		fmt.Fprintf(out, "\n%s: read again, as it is not what it was:\n", r.Version)
		for _, name := range r.Again {
			fmt.Fprintf(out, "  %s (read in %s)\n", name, r.Since[name])
		}
	}
	var elsewhere []string
	for _, name := range r.Changed {
		if slices.ContainsFunc(r.Help, func(h project.Help) bool { return h.Hunk.Key() == name }) {
			continue
		}
		if !slices.ContainsFunc(r.Again, func(again string) bool { return again == name || strings.HasPrefix(again, name+": ") }) {
			elsewhere = append(elsewhere, name)
		}
	}
	if len(elsewhere) > 0 {
		fmt.Fprintf(out, "\n%s: changed where no patch depends on it, or read already:\n", r.Version)
		for _, name := range elsewhere {
			fmt.Fprintf(out, "  %s\n", name)
		}
	}
	if len(r.NewTests) > 0 {
		fmt.Fprintf(out, "\n%s: new tests that name what is patched or watched:\n", r.Version)
		for _, name := range r.NewTests {
			fmt.Fprintf(out, "  %s\n", name)
		}
	}
	for _, d := range r.Diffs {
		fmt.Fprintf(out, "\n%s: %s since %s:\n%s", r.Version, d.Name, d.From, indent(d.Text))
	}
	switch {
	case r.Compiles == project.CompilesNo:
		fmt.Fprintf(out, "\n%s: does not compile:\n  %s\n", r.Version, strings.ReplaceAll(r.CompileNote, "\n", "\n  "))
	case r.Compiles == project.CompilesUnknown && r.CompileNote != "" && len(r.Errors) == 0:
		fmt.Fprintf(out, "\n%s: not compiled: %s\n", r.Version, r.CompileNote)
	}
}

// reportHelp prints what helps to write a block anew.
func reportHelp(out io.Writer, version string, h project.Help) {
	if h.Old == "" {
		return // there is no version in which it applied
	}
	where := h.New
	if where == "" {
		where = "gone"
	}
	fmt.Fprintf(out, "\n%s: patch %q (PATCHES.md:%d): its place was %s, and is %s\n%s", version, h.Hunk.Patch, h.Hunk.Line, h.Old, where, indent(h.Diff))
	if h.Block == "" {
		return
	}
	note := "a block to begin with; cut it down to the tokens that it needs"
	if h.Matches != 1 {
		note += fmt.Sprintf(" (as it is, it has %d matches)", h.Matches)
	}
	fmt.Fprintf(out, "  %s:\n%s", note, indent(h.Block))
}

// indent puts blanks before each line that is not empty.
func indent(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString("    " + line)
	}
	return out.String()
}
