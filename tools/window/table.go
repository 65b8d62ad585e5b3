package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/valyala/fasthttp/internal/window"
)

// results are the cells of all loads at one round trip.
type results struct {
	loads []load
	cells [][]cell
}

// lost is the table of lost requests.
func (r *results) lost() table.Writer {
	return r.table("lost of 1,000", nil, func(c *cell) string {
		if c.lost.sum == 0 {
			return "0"
		}
		return fmt.Sprintf("%.2f ±%.2f", c.lost.mean(), c.lost.err())
	})
}

// times is the table of how long the stops took.
func (r *results) times() table.Writer {
	ended := func(c *cell) string {
		var parts []string
		for reason := window.Open; reason <= window.Context; reason++ {
			if n := c.reasons[reason]; n > 0 {
				parts = append(parts, fmt.Sprintf("%s %.0f%%", reason, 100*float64(n)/float64(c.took.n)))
			}
		}
		return strings.Join(parts, ", ")
	}
	return r.table("stop in s", ended, func(c *cell) string {
		return fmt.Sprintf("%.2f", c.took.mean())
	})
}

func (r *results) table(what string, last func(*cell) string, show func(*cell) string) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Options = table.Options{SeparateHeader: true}
	header := table.Row{what}
	var columns []table.ColumnConfig
	for i, p := range policies {
		header = append(header, p.name)
		columns = append(columns, table.ColumnConfig{Number: i + 2, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	if last != nil {
		header = append(header, "why the rule ended")
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(columns)
	for i := range r.loads {
		row := table.Row{r.loads[i].name}
		for p := range policies {
			row = append(row, show(&r.cells[i][p]))
		}
		if last != nil {
			row = append(row, last(&r.cells[i][0]))
		}
		t.AppendRow(row)
	}
	return t
}
