package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/fastdrain/fastdrain/bench/hot"
	"github.com/fastdrain/fastdrain/bench/internal/chart"
	"github.com/fastdrain/fastdrain/bench/internal/figure"
)

// section is a table of figures with what a reader has to know of it.
type section struct {
	title, about string
	header       table.Row
	rows         []table.Row
}

// empty says that nothing was measured.
func (s section) empty() bool { return len(s.rows) == 0 }

func (s section) writer() table.Writer {
	t := table.NewWriter()
	t.AppendHeader(s.header)
	t.AppendRows(s.rows)
	var configs []table.ColumnConfig
	first := 2
	if s.header[1] == "" {
		first = 3 // what the workload is, in words
	}
	for n := first; n <= len(s.header); n++ {
		configs = append(configs, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	t.SuppressEmptyColumns()
	return t
}

// sections are all tables that there are figures for.
func (b *bench) sections() []section {
	var all []section
	for _, s := range []section{b.requestSection(), b.socketSection(), b.drainSection(), b.memorySection(), b.snapshotSection()} {
		if !s.empty() {
			all = append(all, s)
		}
	}
	return all
}

// writeTables writes the tables with lines where they are read in a terminal, in
// plain characters elsewhere.
func (b *bench) writeTables(w io.Writer) {
	style := table.StyleDefault
	if isTerminal(w) {
		style = table.StyleLight
	}
	style.Format.Header = text.FormatDefault
	for _, s := range b.sections() {
		t := s.writer()
		t.SetStyle(style)
		fmt.Fprintf(w, "\n%s\n%s\n", s.title, t.Render())
	}
	for _, note := range b.notes {
		fmt.Fprintf(w, "\nNote: %s\n", note)
	}
}

// requestSection has what a request takes in one process.
func (b *bench) requestSection() section {
	s := section{
		title: chart.RequestSection,
		about: "Instructions and atomics are counted under callgrind: the difference of two runs of different lengths, " +
			"divided by the difference in requests. Atomics are the executed instructions with a LOCK prefix and XCHG with memory. " +
			"Time is the median of interleaved runs; its ratio is the median of the pairs with the confidence interval at 95 %. " +
			"u is upstream, p the patched copy.",
		header: table.Row{"workload", "", "instructions u", "p", "p/u", "atomics u", "p", "allocs u", "p", "ns u", "p", "p/u", "B u", "p"},
	}
	for _, w := range hot.Workloads {
		f := func(m figure.Metric) *figure.Figure { return b.figures.Find(w.Name, m) }
		in, at, al, ns, by := f(figure.Instructions), f(figure.Atomics), f(figure.Allocs), f(figure.Time), f(figure.Bytes)
		if in == nil && al == nil && ns == nil {
			continue
		}
		s.rows = append(s.rows, table.Row{
			w.Name, w.About,
			up(in, "%.0f"), patched(in, "%.0f"), ratio(in, "%.4f"),
			up(at, "%.1f"), patched(at, "%.1f"), up(al, "%.2f"), patched(al, "%.2f"),
			up(ns, "%.0f"), patched(ns, "%.0f"), interval(ns), up(by, "%.0f"), patched(by, "%.0f"),
		})
	}
	return s
}

// socketSection has what clients see over sockets.
func (b *bench) socketSection() section {
	s := section{
		title: "Over real sockets (wrk)",
		about: "Rounds of fresh processes, one of each side and one of upstream once more, each with its clients, in turns of 20 ms: the others are paused. In each round the functions of each program lie in another order (the linker's -randlayout). Time is the inverse of the requests per second; " +
			"CPU is the processor time of the server process for each request, the kernel's included. " +
			"Ratios are the median of the rounds with the confidence interval at 95 %, p over the mean of both of upstream; latencies, in milliseconds, are medians of loads of each side alone.",
		header: table.Row{"workload", "", "requests/s u", "p", "time p/u", "u/u", "CPU p/u", "u/u", "p50 u", "p", "p99 u", "p", "p99.9 u", "p", "rounds"},
	}
	for _, w := range hot.Workloads {
		f := func(m figure.Metric) *figure.Figure { return b.figures.Find(w.Name, m) }
		r := f(figure.Rate)
		if r == nil {
			continue
		}
		p50, p99, top := f(figure.LatencyP50), f(figure.LatencyP99), f(figure.LatencyTop)
		s.rows = append(s.rows, table.Row{
			w.Name, w.About, up(r, "%.0f"), patched(r, "%.0f"), interval(f(figure.WallTime)), same(f(figure.WallTime)), interval(f(figure.CPUTime)), same(f(figure.CPUTime)),
			milli(p50, upstreamOf), milli(p50, patchedOf), milli(p99, upstreamOf), milli(p99, patchedOf),
			milli(top, upstreamOf), milli(top, patchedOf), r.Runs,
		})
	}
	if f := b.figures.Find(figure.Together, figure.WallTime); f != nil {
		cpu := b.figures.Find(figure.Together, figure.CPUTime)
		s.rows = append(s.rows, table.Row{
			figure.Together, "the rounds of all", "", "", interval(f), same(f), interval(cpu), same(cpu), "", "", "", "", "", "", f.Runs,
		})
	}
	return s
}

// drainSection has the stops.
func (b *bench) drainSection() section {
	s := section{
		title: chart.DrainSection,
		about: "Milliseconds from the stop to the return of Shutdown; CPU is the processor time of the server process in between; " +
			"medians. Idle clients hold their connection until they see the FIN, and then close; the patched server has no final-read window there. " +
			"Busy ones send a request every 0 to 20 ms, and the patched server has its default window. " +
			"Lost is the sum of all stops: connections reset, or requests without a response. " +
			"A server sees no process but itself, as in a container. " +
			"Least is a program that does no more than a drain without loss has to: look, half-close, read the client's FIN, close ([least](least/main.go)). " +
			"Floor is upstream's processor time with what these take more in the kernel than a close, as a program shows that is system calls and nothing else ([bare](bare/main.go)).",
		header: table.Row{"clients", "upstream", "patched", "p/u", "least", "net/http", "Hertz", "CPU u", "p", "p/u", "least", "floor", "net/http", "peak MB u", "p", "lost u", "p", "net/http", "Hertz"},
	}
	for _, f := range b.figures.Of(figure.Drain) {
		cpu, peak, lost := b.figures.Find(f.Workload, figure.DrainCPU), b.figures.Find(f.Workload, figure.DrainMemory), b.figures.Find(f.Workload, figure.DrainLost)
		mega := func(v *float64) string { return format(v, "%.0f", 1e-6) }
		s.rows = append(s.rows, table.Row{
			f.Workload, milli(f, upstreamOf), milli(f, patchedOf), interval(f), milli(f, otherOf("least")), milli(f, otherOf("nethttp")), milli(f, otherOf("hertz")),
			milli(cpu, upstreamOf), milli(cpu, patchedOf), interval(cpu), milli(cpu, otherOf("least")), milli(cpu, otherOf(figure.Floor)), milli(cpu, otherOf("nethttp")), mega(peak.Upstream), mega(peak.Patched),
			up(lost, "%.0f"), patched(lost, "%.0f"), format(otherOf("nethttp")(lost), "%.0f", 1), format(otherOf("hertz")(lost), "%.0f", 1),
		})
	}
	for _, f := range b.figures.Of(figure.DrainExponent) {
		s.rows = append(s.rows, table.Row{
			f.Workload + ": exponent", up(f, "%.2f"), patched(f, "%.2f"), "",
			format(otherOf("least")(f), "%.2f", 1),
			format(otherOf("nethttp")(f), "%.2f", 1), format(otherOf("hertz")(f), "%.2f", 1),
		})
	}
	return s
}

// memorySection has the memory of idle connections.
func (b *bench) memorySection() section {
	s := section{
		title: "Memory of an idle connection",
		about: "Bytes for each connection that has been answered once and is kept: heap and stacks in use after garbage collection, " +
			"and what the kernel has given to the process. Memory that a server maps by itself shows in the latter only.",
		header: table.Row{"connections", "upstream", "patched", "p-u", "net/http", "Hertz", "resident u", "p", "net/http", "Hertz"},
	}
	for _, f := range b.figures.Of(figure.IdleMemory) {
		r := b.figures.Find(f.Workload, figure.IdleResident)
		s.rows = append(s.rows, table.Row{
			f.Workload, up(f, "%.0f"), patched(f, "%.0f"), fmt.Sprintf("%+.0f", *f.Patched-*f.Upstream),
			format(otherOf("nethttp")(f), "%.0f", 1), format(otherOf("hertz")(f), "%.0f", 1),
			up(r, "%.0f"), patched(r, "%.0f"), format(otherOf("nethttp")(r), "%.0f", 1), format(otherOf("hertz")(r), "%.0f", 1),
		})
	}
	return s
}

// snapshotSection has what looking at a server takes.
func (b *bench) snapshotSection() section {
	s := section{
		title: chart.SnapshotSection,
		about: "ConnStats, a whole Prometheus scrape with its text, and the 99th percentile of how long a lock is held that a new connection waits for.",
		header: table.Row{
			"connections", "ConnStats (ms)", "scrape (ms)", "lock held, p99 (µs)",
		},
	}
	for _, f := range b.figures.Of(figure.Snapshot) {
		scrape, hold := b.figures.Find(f.Workload, figure.Scrape), b.figures.Find(f.Workload, figure.LockHold)
		s.rows = append(s.rows, table.Row{
			strings.TrimPrefix(f.Workload, "snapshot-"), format(f.Patched, "%.3f", 1e3), format(scrape.Patched, "%.3f", 1e3), format(hold.Patched, "%.1f", 1e6),
		})
	}
	return s
}

func upstreamOf(f *figure.Figure) *float64 { return f.Upstream }
func patchedOf(f *figure.Figure) *float64  { return f.Patched }

func otherOf(name string) func(*figure.Figure) *float64 {
	return func(f *figure.Figure) *float64 {
		if f == nil {
			return nil
		}
		if v, ok := f.Others[name]; ok {
			return figure.Value(v)
		}
		return nil
	}
}

// The cells of the tables are empty where nothing was measured.

func format(v *float64, layout string, scale float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf(layout, *v*scale)
}

func up(f *figure.Figure, layout string) string {
	if f == nil {
		return ""
	}
	return format(f.Upstream, layout, 1)
}

func patched(f *figure.Figure, layout string) string {
	if f == nil {
		return ""
	}
	return format(f.Patched, layout, 1)
}

func ratio(f *figure.Figure, layout string) string {
	if f == nil {
		return ""
	}
	return format(f.Ratio, layout, 1)
}

// milli writes seconds as milliseconds with three significant digits.
func milli(f *figure.Figure, of func(*figure.Figure) *float64) string {
	if f == nil {
		return ""
	}
	v := of(f)
	if v == nil {
		return ""
	}
	ms := *v * 1e3
	return fmt.Sprintf("%.*f", max(0, min(3, 2-int(math.Floor(math.Log10(max(ms, 1e-9)))))), ms)
}

// same writes the control of a ratio: upstream over itself.
func same(f *figure.Figure) string {
	if f == nil || f.Control == nil {
		return ""
	}
	return interval(&figure.Figure{Ratio: &f.Control.Ratio, Low: f.Control.Low, High: f.Control.High})
}

// interval writes a ratio with its confidence interval.
func interval(f *figure.Figure) string {
	if f == nil || f.Ratio == nil {
		return ""
	}
	if f.Low == nil || f.High == nil {
		return fmt.Sprintf("%.3f", *f.Ratio)
	}
	return fmt.Sprintf("%.3f (%.3f to %.3f)", *f.Ratio, *f.Low, *f.High)
}
