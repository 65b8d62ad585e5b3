package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/fastdrain/fastdrain/bench/internal/chart"
	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// writeResults writes RESULTS.md, its plots, and the figures as JSON.
func (b *bench) writeResults(verdicts []figure.Verdict) error {
	dir := b.results
	pin, err := b.project.Pin()
	if err != nil {
		return err
	}
	plots, err := chart.All(b.figures)
	if err != nil {
		return err
	}
	var md bytes.Buffer
	fmt.Fprintf(&md, "# Results\n\nWritten by `make bench-results`; do not edit. ")
	fmt.Fprintf(&md, "Repeat it on your machine with that command; it takes an hour. [results.json](results.json) has all figures.\n\n")
	fmt.Fprintf(&md, "- Date: %s\n- Machine: %s\n- Go: %s\n- Upstream: %s %s\n- Patched copy: the same version with PATCHES.md\n",
		time.Now().UTC().Format(time.DateOnly), machine(), strings.TrimPrefix(runtime.Version(), "go"), pin.Module, pin.Version)
	for _, note := range b.notes {
		fmt.Fprintf(&md, "- Note: %s\n", strings.ReplaceAll(note, "\n", " "))
	}
	if len(verdicts) > 0 {
		fmt.Fprintf(&md, "\n## Limits\n\nOf time, upstream over itself is the control, in the same rounds as the rest: what it does not keep either is the machine's, and called noise. Of stops it is the server that does the least that loses nothing, and of their processor time the floor.\n\n| | limit | measured | at most | control |\n| --- | --- | ---: | ---: | ---: |\n")
		for _, v := range verdicts {
			if !v.Open() {
				fmt.Fprintf(&md, "| %s | %s, %s of %s | %.5g | %.6g | %s |\n", mark(v), v.Figure.Workload, v.Limit.Of, v.Limit.Metric, v.Value, v.Most, controlOf(v))
				continue
			}
			fmt.Fprintf(&md, "| open | %s, %s of %s | not measured | %.6g | |\n", v.Limit.Workload, v.Limit.Of, v.Limit.Metric, v.Most)
		}
	}
	for _, s := range b.sections() {
		fmt.Fprintf(&md, "\n## %s\n\n%s\n\n%s\n", s.title, s.about, s.writer().RenderMarkdown())
		for _, p := range plots {
			if p.Section == s.title {
				fmt.Fprintf(&md, "\n![%s](%s)\n", p.Title, p.File)
			}
		}
	}
	for _, p := range plots {
		if err := tree.WriteFile(filepath.Join(dir, p.File), p.SVG, 0o644); err != nil {
			return err
		}
	}
	if err := b.figures.WriteJSON(filepath.Join(dir, "results.json")); err != nil {
		return err
	}
	if err := tree.WriteFile(filepath.Join(dir, "RESULTS.md"), md.Bytes(), 0o644); err != nil {
		return err
	}
	if err := writeReadme(b.project.Root, b.figures); err != nil {
		return err
	}
	b.say("wrote RESULTS.md, results.json and %d plots into %s, and the table of README.md", len(plots), dir)
	return nil
}

// controlOf writes what a verdict says of upstream over itself, or of the least.
func controlOf(v figure.Verdict) string {
	if c := max(v.Noise, v.Least); c > 0 { // never both
		return fmt.Sprintf("%.5g", c)
	}
	return ""
}
