package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/project"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	only := ""
	if len(os.Args) > 1 {
		only = os.Args[1]
	}
	err := mutate(ctx, only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutation:", err)
		os.Exit(1)
	}
}

// mutate makes the mutants of the patches whose names match only, runs their
// tests, and prints how each ended.
func mutate(ctx context.Context, only string) error {
	choose, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	p, err := project.Find(".")
	if err != nil {
		return err
	}
	set, err := p.Patches()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fastdrain-mutation-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := newWorkbench(ctx, p, dir)
	if err != nil {
		return err
	}

	if err := soundWithout(ctx, w, set, choose); err != nil {
		return err
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, WidthMax: 34, WidthMaxEnforcer: text.WrapSoft},
		{Number: 5, WidthMax: 70, WidthMaxEnforcer: func(s string, n int) string { return text.Trim(s, n) }},
	})
	t.AppendHeader(table.Row{"patch", "effect taken away", "test", "", "what it said"})
	var wrong []string
	for _, pt := range set.Patches {
		if !choose.MatchString(pt.Name) {
			continue
		}
		wrong = append(wrong, mutatePatch(ctx, w, t, pt)...)
		t.AppendSeparator()
	}
	fmt.Println(t.Render())
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(wrong) > 0 {
		for _, what := range wrong {
			fmt.Fprintln(os.Stderr, what)
		}
		return fmt.Errorf("%d things are not proved", len(wrong))
	}
	fmt.Println("Each patch's effect, taken away, makes a test fail that the patch names.")
	return nil
}

// soundWithout demands that the tests pass as long as nothing is taken away.
func soundWithout(ctx context.Context, w *workbench, set *patch.Set, choose *regexp.Regexp) error {
	progress("unchanged: building")
	if err := w.make(&mutant{}); err != nil {
		return err
	}
	binary, err := build(ctx, w.dir)
	if err != nil {
		return err
	}
	var seen []string
	for _, pt := range set.Patches {
		if !choose.MatchString(pt.Name) {
			continue
		}
		for _, test := range pt.ProvedBy {
			if slices.Contains(seen, test) {
				continue
			}
			seen = append(seen, test)
			progress("unchanged: " + test)
			if v, said := run(ctx, w.dir, binary, test); v != passed {
				return fmt.Errorf("%s does not pass while nothing is taken away: %s %s", test, v, said)
			}
		}
	}
	return nil
}

// mutatePatch runs the mutants of a patch and returns what they leave unproved.
func mutatePatch(ctx context.Context, w *workbench, t table.Writer, pt *patch.Patch) (wrong []string) {
	seen := map[string]bool{}
	n := 0
	for i := range mutants {
		m := &mutants[i]
		if m.patch != pt.Name {
			continue
		}
		n++
		progress(pt.Name + ": " + m.effect)
		err := w.make(m)
		binary := ""
		if err == nil {
			binary, err = build(ctx, w.dir)
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s (%s): %v", m.patch, m.effect, err))
			continue
		}
		proved := false
		for _, test := range pt.ProvedBy {
			v, said := run(ctx, w.dir, binary, test)
			t.AppendRow(table.Row{pt.Name, m.effect, test, v, said})
			if v.proves() {
				proved, seen[test] = true, true
			}
		}
		if !proved {
			wrong = append(wrong, fmt.Sprintf("%s: no test fails when %s", m.patch, m.effect))
		}
	}
	if n == 0 {
		wrong = append(wrong, fmt.Sprintf("%s: mutants.go has no mutant of it", pt.Name))
		return wrong
	}
	for _, test := range pt.ProvedBy {
		if !seen[test] {
			wrong = append(wrong, fmt.Sprintf("%s: %s never failed, so it proves nothing of this patch", pt.Name, test))
		}
	}
	return wrong
}

var began = time.Now()

func progress(what string) {
	fmt.Fprintf(os.Stderr, "%5.0fs  %s\n", time.Since(began).Seconds(), what)
}
