package probe

import (
	"fmt"
	"io"
	"strings"
)

// bars are the heights of a bar in a terminal, and elsewhere.
var (
	bars      = []rune(" ▁▂▃▄▅▆▇█")
	plainBars = []rune(" .:-=+*#@")
)

// writeTimeline draws a row for each thing that is counted: a character is a slice of
// time, its height the count, compared to the highest of its row.
func writeTimeline(w io.Writer, r *Result, terminal bool) {
	if len(r.Timeline) == 0 {
		return
	}
	step := duration(r.Timeline[0].To - r.Timeline[0].From)
	mark := 0
	for mark < len(r.Timeline) && r.Timeline[mark].From < 0 {
		mark++
	}
	name := map[string]string{ModeSignal: r.Signal, ModeCommand: "the command", ModeTime: "the begin"}[r.Mode]
	all := ""
	if r.Stops > 1 {
		all = fmt.Sprintf(", the sum of all %d", r.Stops)
	}
	fmt.Fprintf(w, "\na character is %s; | is %s%s\n", short(step), name, all)
	heights := plainBars
	if terminal {
		heights = bars
	}
	for _, row := range timelineRows(r) {
		most := 0
		for _, n := range row.counts {
			most = max(most, n)
		}
		if most == 0 && row.name != "lost" {
			continue
		}
		var b strings.Builder
		for i, n := range row.counts {
			if i == mark {
				b.WriteByte('|')
			}
			height := 0
			if n > 0 {
				height = 1 + (n*(len(heights)-2))/most
			}
			b.WriteRune(heights[min(height, len(heights)-1)])
		}
		fmt.Fprintf(w, "%9s %s %d at most\n", row.name, b.String(), most)
	}
	end := r.Timeline[len(r.Timeline)-1].To
	fmt.Fprintf(w, "%9s %-*s%s\n", "", len(r.Timeline), short(duration(r.Timeline[0].From)), short(duration(end)))
}

type timelineRow struct {
	name   string
	counts []int
}

func timelineRows(r *Result) []timelineRow {
	rows := []timelineRow{{name: "answered"}, {name: "lost"}, {name: "5xx"}, {name: "refused"}}
	for _, s := range r.Timeline {
		for i, n := range []int{s.Answered, s.Lost, s.Failed, s.Refused} {
			rows[i].counts = append(rows[i].counts, n)
		}
	}
	return rows
}
