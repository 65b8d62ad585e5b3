package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/valyala/fasthttp"
)

// Title is the dashboard's name.
const Title = "fasthttp: connections and drains"

// New makes the dashboard.
func New() Dashboard {
	return Dashboard{
		UID:           "fastdrain",
		Title:         Title,
		Description:   "What a fasthttp server's connections are doing, and what each stop of it saved, lost and waited for.",
		Tags:          []string{"fasthttp", "fastdrain"},
		SchemaVersion: 42,
		Version:       1,
		Editable:      true,
		GraphTooltip:  1,
		Timezone:      "browser",
		Refresh:       "10s",
		Time:          TimeRange{From: "now-30m", To: "now"},
		Templating:    Templating{List: variables()},
		Annotations:   Annotations{List: annotations()},
		Links:         []any{},
		Panels: layout(
			row{"Connections", connectionPanels()},
			row{"Drains", drainPanels()},
			row{"Traffic around the stop", trafficPanels()},
		),
	}
}

// JSON is the dashboard as Grafana imports it.
func (d Dashboard) JSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(d)
	return b.Bytes(), err
}

func variables() []Variable {
	labelled := func(name, label, description, query string) Variable {
		return Variable{
			Name: name, Label: label, Description: description,
			Type: "query", Datasource: &prometheus,
			Query: VariableQuery{QryType: 1, Query: query, RefID: "PrometheusVariableQueryEditor-VariableQuery"},
			// Instances come and go with each release, and the range may reach
			// back to those that are gone.
			Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".+",
			Current: &Option{Selected: true, Text: []string{"All"}, Value: []string{"$__all"}},
			Options: []Option{},
		}
	}
	return []Variable{
		{
			Name: "datasource", Label: "Data source", Description: "The Prometheus that scrapes the servers.",
			Type: "datasource", Query: "prometheus", Refresh: 1, Options: []Option{},
		},
		labelled("job", "Job", "The scrape jobs to show.", "label_values("+open+", job)"),
		labelled("instance", "Instance", "The instances to show.", "label_values("+open+`{job=~"$job"}, instance)`),
	}
}

func annotations() []Annotation {
	mark := func(name, color, expr, title, text string) Annotation {
		return Annotation{
			Name: name, Datasource: prometheus, Enable: true, IconColor: color,
			Target:      &Target{RefID: "Anno", Datasource: prometheus, EditorMode: "code", Expr: expr, Format: "time_series", Range: true},
			TagKeys:     "job,instance,server",
			TitleFormat: title, TextFormat: text,
		}
	}
	// The metric is in seconds, and Grafana takes a value for a time in
	// milliseconds.
	began := mark("Drain began", "blue", sel(startTime)+" * 1000 > 0", "Drain began", "{{instance}}")
	began.UseValueForTime = "on"
	return []Annotation{
		{
			Name: "Annotations & Alerts", BuiltIn: 1, Type: "dashboard", Enable: true, Hide: true, IconColor: "rgba(0, 211, 255, 1)",
			Datasource: Datasource{Type: "grafana", UID: "-- Grafana --"},
		},
		began,
		mark("Draining", "orange", sel(phase, inDrain)+" == 1", "Draining", "{{instance}}: {{phase}}"),
		mark("Drain timed out", "red", sel(phase, fmt.Sprintf("phase=%q", fasthttp.PhaseTimedOut))+" == 1", "Drain timed out", "{{instance}}"),
	}
}

// row is a row of the dashboard and what is in it.
type row struct {
	title  string
	panels []Panel
}

// layout numbers the panels and places them from left to right.
func layout(rows ...row) []Panel {
	var all []Panel
	y := 0
	place := func(p Panel) {
		p.ID = len(all) + 1
		all = append(all, p)
	}
	for _, r := range rows {
		place(Panel{
			Type: "row", Title: r.title, GridPos: GridPos{H: 1, W: 24, Y: y},
			Collapsed: ptr(false), Panels: &[]Panel{},
		})
		y++
		x, height := 0, 0
		for _, p := range r.panels {
			if x+p.GridPos.W > 24 {
				x, y, height = 0, y+height, 0
			}
			p.GridPos.X, p.GridPos.Y = x, y
			x, height = x+p.GridPos.W, max(height, p.GridPos.H)
			place(p)
		}
		y += height
	}
	return all
}
