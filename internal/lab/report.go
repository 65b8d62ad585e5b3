package lab

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// writeTable writes all results as one table: with lines where it is read in a
// terminal, in plain characters elsewhere.
func writeTable(w io.Writer, results []*Result, terminal bool) {
	t := table.NewWriter()
	style := table.StyleDefault
	if terminal {
		style = table.StyleLight
	}
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.AppendHeader(table.Row{
		"scenario", "variant", "stops", "connections", "requests", "lost", "lost per\nstop",
		"executed,\nunanswered", "late", "refused", "shutdown (s)\np50 / p99 / max", "exit",
	})
	var configs []table.ColumnConfig
	for n := 3; n <= 11; n++ {
		configs = append(configs, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	for i, r := range results {
		late := "-"
		if r.Variant == Patched {
			late = strconv.Itoa(r.Late)
		}
		if i > 0 && results[i-1].Scenario != r.Scenario {
			t.AppendSeparator()
		}
		t.AppendRow(table.Row{
			r.Scenario, r.Variant, r.Stops, r.Connections, r.Requests, r.Lost, fmt.Sprintf("%.1f", r.perStop()),
			r.ExecutedUnanswered, late, r.Refused,
			fmt.Sprintf("%.4f / %.4f / %.4f", r.Shutdown.Median, r.Shutdown.P99, r.Shutdown.Max), r.Exit,
		})
	}
	fmt.Fprintln(w, t.Render())
}

// writeDetails writes what a figure in the table does not tell: how the patched
// server's losses looked, and what must not have happened.
func writeDetails(w io.Writer, results []*Result) {
	for _, r := range results {
		if r.Variant == Patched && r.Lost > 0 {
			fmt.Fprintf(w, "%s, %s, how requests were lost:%s\n", r.Scenario, r.Variant, r.Losses())
		}
		// The patched server's are in its verdict.
		if r.Variant != Patched && len(r.tally.problems) > 0 {
			fmt.Fprintf(w, "%s, %s, clients saw what must not happen:%s\n", r.Scenario, r.Variant, r.tally.problems.list())
		}
	}
}

// writeVerdicts writes a line for each limit of the patched server.
func writeVerdicts(w io.Writer, verdicts []verdict) {
	if len(verdicts) == 0 {
		return
	}
	marks := map[outcome]string{kept: "ok", exceeded: "EXCEEDED", open: "open"}
	fmt.Fprintln(w, "Limits of the patched server:")
	for _, v := range verdicts {
		fmt.Fprintf(w, "  %-9s %-12s %s\n", marks[v.outcome], v.scenario, v.text)
	}
}

// closing is the sentence that says what a run has shown, with its figures.
func closing(results []*Result, verdicts []verdict, took time.Duration) string {
	var upStops, ourStops, upLost, ourLost, upExecuted, ourExecuted int
	hold := map[string]float64{}
	for _, r := range results {
		switch r.Variant {
		case Upstream:
			upStops, upLost, upExecuted = upStops+r.Stops, upLost+r.Lost, upExecuted+r.ExecutedUnanswered
		case Patched:
			ourStops, ourLost, ourExecuted = ourStops+r.Stops, ourLost+r.Lost, ourExecuted+r.ExecutedUnanswered
		}
		if r.Scenario == "hold" {
			hold[r.Variant] = r.Shutdown.Median
		}
	}
	if ourStops == 0 || upStops == 0 {
		return fmt.Sprintf("This took %v; it needs both upstream and the patched server to show a difference.", took.Round(time.Second))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "In %v of stops under load upstream's fasthttp lost %d requests in %d stops (%d of them executed and never answered), the patched server %d in %d (%d)",
		took.Round(time.Second), upLost, upStops, upExecuted, ourLost, ourStops, ourExecuted)
	up, a := hold[Upstream]
	ours, b2 := hold[Patched]
	if a && b2 {
		fmt.Fprintf(&b, ", and with 100 idle connections and no final read it stops in %v where upstream takes %v", seconds(ours), seconds(up))
	}
	if n := exceededLimits(verdicts); n > 0 {
		fmt.Fprintf(&b, "; but it exceeded %d of its limits", n)
	}
	b.WriteString(".")
	return b.String()
}

func exceededLimits(verdicts []verdict) (n int) {
	for _, v := range verdicts {
		if v.outcome == exceeded {
			n++
		}
	}
	return n
}
