package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/fastdrain/fastdrain/bench/internal/figure"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// The lines in README.md that its table of figures stands between.
const (
	tableBegin = "<!-- The table of the benchmarks: make bench-results writes it -->\n"
	tableEnd   = "<!-- End of the table -->\n"
)

// readmeTable is the table of README.md: the figures that decide whether to take the
// copy, and the command that repeats each.
func readmeTable(s figure.Set) string {
	var b strings.Builder
	p := message.NewPrinter(language.English)
	row := func(what, command string, f *figure.Figure, layout string, scale float64, ratio string) {
		if f == nil || f.Upstream == nil || f.Patched == nil {
			return
		}
		p.Fprintf(&b, "| %s | "+layout+" | "+layout+" | %s | `%s` |\n", what, *f.Upstream*scale, *f.Patched*scale, ratio, command)
	}
	b.WriteString("| | upstream | patched | ratio | again by |\n| --- | ---: | ---: | ---: | --- |\n")
	for _, w := range []struct{ name, what string }{
		{"get", "instructions of a GET on a keep-alive connection"},
		{"pipeline-16", "of one in a pipeline of 16"},
		{"conn-per-request", "of one on a connection of its own"},
	} {
		f := s.Find(w.name, figure.Instructions)
		row(w.what, "make bench-gate", f, "%.0f", 1, ratio(f, "%.4f"))
	}
	row("atomic read-modify-writes of a GET", "make bench-gate", s.Find("get", figure.Atomics), "%.0f", 1, "")
	row("its allocations", "make bench-gate", s.Find("get", figure.Allocs), "%.0f", 1, "")
	if f := s.Find("get", figure.WallTime); f != nil {
		fmt.Fprintf(&b, "| its time over sockets, %d rounds; upstream over itself %s | | | %s | `make bench` |\n", f.Runs, same(f), interval(f))
	}
	for _, n := range []string{"1,000", "10,000"} {
		name := "idle-" + strings.ReplaceAll(n, ",", "")
		f, cpu := s.Find(name, figure.Drain), s.Find(name, figure.DrainCPU)
		row("a stop with "+n+" idle connections, no window, ms", "make bench", f, "%.0f", 1e3, ratio(f, "%.2f"))
		row("its processor time, ms", "make bench", cpu, "%.0f", 1e3, ratio(cpu, "%.2f"))
	}
	if f := s.Find("idle-10000", figure.IdleMemory); f != nil {
		row("memory of an idle connection, bytes", "make bench", f, "%.0f", 1, fmt.Sprintf("%+.0f", *f.Patched-*f.Upstream))
	}
	return b.String()
}

// writeReadme puts the table into the README.md of the project.
func writeReadme(root string, s figure.Set) error {
	path := filepath.Join(root, "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, after, err := aroundTable(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return tree.WriteFile(path, bytes.Join([][]byte{before, []byte(readmeTable(s)), after}, nil), 0o644)
}

// aroundTable returns what stands before the table, and behind it.
func aroundTable(text []byte) (before, after []byte, err error) {
	i, j := bytes.Index(text, []byte(tableBegin)), bytes.Index(text, []byte(tableEnd))
	if i < 0 || j < i {
		return nil, nil, errors.New("the lines round the table of figures are gone")
	}
	return text[:i+len(tableBegin)], text[j:], nil
}
