package dashboard

import (
	"fmt"

	"github.com/valyala/fasthttp"
)

// prometheus is the datasource that the user chooses.
var prometheus = Datasource{Type: "prometheus", UID: "${datasource}"}

func ptr[T any](v T) *T { return &v }

// query asks for a series over time.
func query(expr, legend string) Target {
	return Target{Datasource: prometheus, EditorMode: "code", Expr: expr, Format: "time_series", Range: true, LegendFormat: legend}
}

// now asks for one value, as of the end of the dashboard's range.
func now(expr, legend string) Target {
	t := query(expr, legend)
	t.Instant, t.Range = true, false
	return t
}

// panel makes a panel of a width in a grid of 24 columns.
func panel(kind, title, description, unit string, width int, targets ...Target) Panel {
	for i := range targets {
		targets[i].RefID = string(rune('A' + i))
	}
	return Panel{
		Type: kind, Title: title, Description: description,
		GridPos:    GridPos{W: width, H: 8},
		Datasource: &prometheus,
		Targets:    targets,
		FieldConfig: &FieldConfig{
			Defaults: FieldDefaults{
				Unit:     unit,
				Min:      ptr(0.0),
				Color:    Color{Mode: "palette-classic"},
				Mappings: []ValueMap{},
			},
			Overrides: []Override{},
		},
	}
}

var (
	bottomLegend = map[string]any{"calcs": []string{}, "displayMode": "list", "placement": "bottom", "showLegend": true}
	tooltip      = map[string]any{"mode": "multi", "sort": "desc"}
	lastValue    = map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
)

// lines draws series over time. Values hold until the next scrape, so lines are
// steps.
func lines(title, description, unit string, width int, targets ...Target) Panel {
	p := panel("timeseries", title, description, unit, width, targets...)
	p.FieldConfig.Defaults.Custom = map[string]any{
		"drawStyle":         "line",
		"lineInterpolation": "stepAfter",
		"lineWidth":         2,
		"fillOpacity":       10,
		"gradientMode":      "none",
		"showPoints":        "never",
		"spanNulls":         false,
		"axisPlacement":     "auto",
		"axisSoftMax":       1, // an axis for zeros
		"stacking":          map[string]any{"group": "A", "mode": "none"},
	}
	p.Options = map[string]any{"legend": bottomLegend, "tooltip": tooltip}
	return p
}

// stacked piles the series up.
func stacked(p Panel) Panel {
	p.FieldConfig.Defaults.Custom["stacking"] = map[string]any{"group": "A", "mode": "normal"}
	p.FieldConfig.Defaults.Custom["fillOpacity"] = 60
	// A series of zeros would draw its line over the one below.
	p.FieldConfig.Defaults.Custom["lineWidth"] = 0
	return p
}

// thin draws lines without an area: where many cross.
func thin(p Panel) Panel {
	p.FieldConfig.Defaults.Custom["fillOpacity"] = 0
	p.FieldConfig.Defaults.Custom["lineWidth"] = 1
	return p
}

// stats shows one number for each series.
func stats(title, description, unit string, width int, targets ...Target) Panel {
	p := panel("stat", title, description, unit, width, targets...)
	p.Options = map[string]any{
		"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto",
		"percentChangeColorMode": "standard", "reduceOptions": lastValue, "showPercentChange": false,
		"textMode": "value_and_name", "wideLayout": true,
	}
	return p
}

// bars shows one horizontal bar for each series.
func bars(title, description, unit string, width int, targets ...Target) Panel {
	p := panel("bargauge", title, description, unit, width, targets...)
	p.Options = map[string]any{
		"displayMode": "basic", "orientation": "horizontal", "namePlacement": "left", "valueMode": "color",
		"showUnfilled": true, "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 300,
		"reduceOptions": lastValue,
		"text":          map[string]any{"titleSize": 13, "valueSize": 18},
		"legend":        map[string]any{"calcs": []string{}, "displayMode": "list", "placement": "bottom", "showLegend": false},
	}
	return p
}

// extrapolated says of a panel over a range how exact it is.
const extrapolated = " Prometheus extrapolates at the ends of the range: the log has the exact figures of each drain."

// whole shows whole numbers: increase extrapolates, and a connection is not
// divisible.
func whole(p Panel) Panel {
	p.FieldConfig.Defaults.Decimals = ptr(0)
	return p
}

// phaseLook is how a phase is shown.
var phaseLook = map[fasthttp.DrainPhase]string{
	fasthttp.PhaseServing:          "green",
	fasthttp.PhaseLameDuck:         "yellow",
	fasthttp.PhaseClosingListeners: "orange",
	fasthttp.PhaseDraining:         "blue",
	fasthttp.PhaseStopped:          "text",
	fasthttp.PhaseTimedOut:         "red",
}

// phaseLine draws phases as coloured stretches of time.
func phaseLine(title, description string, width int, target Target) Panel {
	p := panel("state-timeline", title, description, "none", width, target)
	p.FieldConfig.Defaults.Min = nil
	p.FieldConfig.Defaults.Color = Color{Mode: "thresholds"}
	p.FieldConfig.Defaults.Custom = map[string]any{"fillOpacity": 80, "lineWidth": 0}
	texts := map[string]ValueResult{}
	for p, color := range phaseLook {
		texts[fmt.Sprint(int(p))] = ValueResult{Text: p.String(), Color: color, Index: int(p)}
	}
	p.FieldConfig.Defaults.Mappings = []ValueMap{{Type: "value", Options: texts}}
	p.FieldConfig.Defaults.Thresholds = steps("text")
	p.Options = map[string]any{
		"alignValue": "left", "mergeValues": true, "rowHeight": 0.9, "showValue": "auto",
		"legend":  bottomLegend,
		"tooltip": map[string]any{"mode": "single", "sort": "none"},
	}
	return p
}

// steps colours by thresholds: a colour, and then pairs of a value and the
// colour from there on.
func steps(base string, more ...any) *Thresholds {
	t := &Thresholds{Mode: "absolute", Steps: []Threshold{{Color: base}}}
	for i := 0; i < len(more); i += 2 {
		t.Steps = append(t.Steps, Threshold{Value: ptr(more[i].(float64)), Color: more[i+1].(string)})
	}
	return t
}

// byThreshold colours the panel's values by size.
func byThreshold(p Panel, t *Thresholds) Panel {
	p.FieldConfig.Defaults.Color = Color{Mode: "thresholds"}
	p.FieldConfig.Defaults.Thresholds = t
	return p
}

// color gives the series of a name a colour of its own.
func color(p Panel, series, color string, more ...Property) Panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, Override{
		Matcher:    Matcher{ID: "byName", Options: series},
		Properties: append([]Property{{ID: "color", Value: Color{Mode: "fixed", FixedColor: color}}}, more...),
	})
	return p
}
