package probe

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// The picture of a timeline, in its own units.
const (
	chartLeft, chartRight = 60.0, 940.0
	upperTop, upperBase   = 20.0, 130.0  // what was answered
	middleTop, middleBase = 150.0, 210.0 // what was lost, or failed
	lowerTop, lowerBase   = 225.0, 255.0 // what was refused
)

// labelWidth is what a word under the picture needs.
const labelWidth = 70

// bar is a rectangle of the picture.
type bar struct {
	Class      string
	X, Y, W, H float64
	Title      string
}

// label is a word in the picture.
type label struct {
	X     float64
	Text  string
	Class string
}

// chart is a timeline as a picture of three parts, each to its own scale.
type chart struct {
	Bars                []bar
	MarkX               float64
	Mark, Alt           string
	Most, Lost, Refused int // the counts at the tops of the parts
	Labels              []label
	Classes             []string // what there is beside the answers
}

func chartOf(r *Result) *chart {
	if len(r.Timeline) == 0 {
		return nil
	}
	c := &chart{Mark: map[string]string{ModeSignal: r.Signal, ModeCommand: "command", ModeTime: "begin"}[r.Mode]}
	for _, s := range r.Timeline {
		c.Most = max(c.Most, s.Answered)
		c.Lost = max(c.Lost, s.Lost+s.Failed)
		c.Refused = max(c.Refused, s.Refused)
	}
	first, last := r.Timeline[0].From, r.Timeline[len(r.Timeline)-1].To
	x := func(ms float64) float64 { return chartLeft + (ms-first)/(last-first)*(chartRight-chartLeft) }
	seen := map[string]bool{}
	for _, s := range r.Timeline {
		left, width := x(s.From), max(1, x(s.To)-x(s.From)-1)
		title := fmt.Sprintf("%v to %v: %d answered, %d lost, %d with 5xx or wrong, %d refused",
			short(duration(s.From)), short(duration(s.To)), s.Answered, s.Lost, s.Failed, s.Refused)
		add := func(class string, n, most int, top, base, from float64) float64 {
			if n == 0 {
				return from
			}
			h := max(1.5, float64(n)/float64(most)*(base-top))
			c.Bars = append(c.Bars, bar{Class: class, X: left, Y: from - h, W: width, H: h, Title: title})
			if class != "answered" && !seen[class] {
				seen[class] = true
				c.Classes = append(c.Classes, class)
			}
			return from - h
		}
		add("answered", s.Answered, c.Most, upperTop, upperBase, upperBase)
		y := add("lost", s.Lost, c.Lost, middleTop, middleBase, middleBase)
		add("failed", s.Failed, c.Lost, middleTop, middleBase, y)
		add("refused", s.Refused, c.Refused, lowerTop, lowerBase, lowerBase)
	}
	c.MarkX = x(0)
	c.Labels = []label{{x(first), short(duration(first)), ""}, {x(last), short(duration(last)), "end"}}
	if x(0)-x(first) < labelWidth {
		c.Labels = c.Labels[1:] // the mark's own word is there
	}
	c.Alt = fmt.Sprintf("%d answered, %d lost, %d answered with 5xx or wrongly, %d refused, by time", r.Answered, r.Lost, r.Failed+r.Wrong, r.Refused)
	return c
}

//go:embed page.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"chart":   chartOf,
	"px":      func(f float64) string { return fmt.Sprintf("%.1f", f) },
	"summary": summary,
	"kinds": func(r *Result) (rows []kindRow) {
		for _, k := range Kinds() {
			if c := r.Kinds[k]; c != nil {
				rows = append(rows, kindRow{k, *c})
			}
		}
		return rows
	},
}).Parse(pageText))

type kindRow struct {
	Kind Kind
	Counts
}

// WritePage writes the results as a page of HTML that needs nothing else, to a file that
// is complete or not there.
func WritePage(path string, results []*Result) error {
	var seen []*Result
	for _, r := range results {
		if r.Stops > 0 {
			seen = append(seen, r)
		}
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, seen); err != nil {
		return err
	}
	return tree.WriteFile(path, b.Bytes(), 0o644)
}
