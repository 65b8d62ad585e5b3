package probe

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Write writes the results for a reader: tables, timelines and diagnoses; with lines
// and bars in a terminal, in plain characters elsewhere.
func Write(w io.Writer, results []*Result, terminal bool) {
	seen := results[:0:0]
	for _, r := range results {
		if r.Stops > 0 {
			seen = append(seen, r)
		}
	}
	if len(seen) == 0 {
		return
	}
	writeSummary(w, seen, terminal)
	for _, r := range seen {
		if len(seen) > 1 {
			fmt.Fprintf(w, "\n%s:\n", r.Name)
		}
		writeKinds(w, r, terminal)
		writeTimeline(w, r, terminal)
		writeDiagnoses(w, r)
	}
}

func newTable(terminal bool) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	if terminal {
		style = table.StyleLight
	}
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	return t
}

// rightFrom aligns the columns from n on, of so many, to the right, and bounds their
// width: longer texts are wrapped.
func rightFrom(t table.Writer, n, columns, width int) {
	var configs []table.ColumnConfig
	for ; n <= columns; n++ {
		configs = append(configs, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight, WidthMax: width})
	}
	t.SetColumnConfigs(configs)
}

// nameWidth is that of the names in the summary.
const nameWidth = 24

// lines are the rows of the summary: what to call it, and how to say it. An empty
// value in all columns leaves the row out.
func lines(r *Result) [][2]string {
	count := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	took := "the command took"
	if r.Mode == ModeSignal {
		took = "from " + r.Signal + " to the end"
	}
	stops := strconv.Itoa(r.Stops)
	if r.interrupted {
		stops = fmt.Sprintf("%d and a part", r.Stops-1)
	}
	rows := [][2]string{
		{r.stop() + "s", stops},
		{"connections", strconv.Itoa(r.Connections)},
		{"requests", strconv.Itoa(r.Requests)},
		{"answered", strconv.Itoa(r.Answered)},
		{"lost", strconv.Itoa(r.Lost)},
	}
	for _, way := range []struct{ name, text string }{
		{Reset, "by RST"}, {Closed, "by FIN"}, {Cut, "cut in the response"}, {Timeout, "no answer in time"},
		{Behind, "behind a close"}, {Broken, "no HTTP/1.1"},
	} {
		rows = append(rows, [2]string{"  " + way.text, count(r.Ways[way.name])})
	}
	refused := ""
	if r.Refused > 0 {
		refused = fmt.Sprintf("%d, for %s", r.Refused, short(duration(r.RefusedFor)))
	}
	rows = append(rows, [][2]string{
		{"answered with 5xx", count(r.Failed)},
		{"answered wrongly", count(r.Wrong)},
		{"sent unasked", count(r.Unasked)},
		{"refused to connect", refused},
		{"  no answer to that", count(r.Unreached)},
		{"unfinished at the end", count(r.Unfinished)},
	}...)
	for _, l := range []struct {
		when string
		Latency
	}{{"before", r.Latency.Before}, {"during", r.Latency.During}, {"after", r.Latency.After}} {
		value := ""
		if l.Answers > 0 {
			value = fmt.Sprintf("%s / %s / %s ms", digits(l.P50), digits(l.P99), digits(l.P999))
		}
		name := "p50 / p99 / p99.9 " + l.when
		if r.Mode == ModeTime {
			name = "p50 / p99 / p99.9"
		}
		rows = append(rows, [2]string{name, value})
	}
	if len(r.took) > 0 {
		rows = append(rows, [2]string{took, fmt.Sprintf("%s (%s to %s)",
			short(duration(r.Took.Median)), short(duration(r.Took.Min)), short(duration(r.Took.Max)))})
		var exits []string
		for _, way := range sortedKeys(r.Exits) {
			if len(r.Exits) > 1 {
				way = fmt.Sprintf("%s (%d)", way, r.Exits[way])
			}
			exits = append(exits, way)
		}
		rows = append(rows, [2]string{"its end", strings.Join(exits, ", ")})
	}
	return rows
}

// digits writes milliseconds with as many digits as one wants to read.
func digits(ms float64) string {
	if ms < 10 {
		return strconv.FormatFloat(ms, 'f', 2, 64)
	}
	return strconv.FormatFloat(ms, 'f', 0, 64)
}

// summary is the lines of all results, a column each, without those that are empty.
func summary(results []*Result) (rows [][]string) {
	if len(results) == 0 {
		return nil
	}
	columns := make([][][2]string, len(results))
	for i, r := range results {
		columns[i] = lines(r)
	}
	for n := range columns[0] {
		row := []string{columns[0][n][0]}
		empty := true
		for _, c := range columns {
			row = append(row, c[n][1])
			empty = empty && c[n][1] == ""
		}
		if !empty {
			rows = append(rows, row)
		}
	}
	return rows
}

func writeSummary(w io.Writer, results []*Result, terminal bool) {
	t := newTable(terminal)
	header := table.Row{""}
	for _, r := range results {
		header = append(header, r.Name)
	}
	t.AppendHeader(header)
	for _, row := range summary(results) {
		var cells table.Row
		for _, cell := range row {
			cells = append(cells, cell)
		}
		t.AppendRow(cells)
	}
	width := 44
	if terminal {
		width = (terminalWidth - len("|  |") - nameWidth - len(" | ")*len(results)) / len(results)
	}
	rightFrom(t, 2, len(results)+1, width)
	fmt.Fprintln(w, t.Render())
}

// writeKinds writes what each kind of clients has seen.
func writeKinds(w io.Writer, r *Result, terminal bool) {
	t := newTable(terminal)
	t.AppendHeader(table.Row{"clients", "connections", "requests", "answered", "lost", "5xx, wrong", "refused"})
	for _, k := range Kinds() {
		if c := r.Kinds[k]; c != nil {
			t.AppendRow(table.Row{k, c.Connections, c.Requests, c.Answered, c.Lost, c.Failed + c.Wrong, c.Refused})
		}
	}
	rightFrom(t, 2, 7, 44)
	fmt.Fprintln(w, t.Render())
}

func writeDiagnoses(w io.Writer, r *Result) {
	for _, d := range r.Diagnoses {
		mark := "ok:"
		if d.Problem {
			mark = "!!"
		} else if d.ID != AllAnswered {
			mark = "note:"
		}
		fmt.Fprintf(w, "\n%s %s.\n", mark, d.Text)
		if d.Do != "" {
			fmt.Fprintf(w, "   %s.\n", d.Do)
		}
		fmt.Fprintf(w, "   %s\n", d.Link)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "\nnote: %s.\n", note)
	}
}
