package chart

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/fastdrain/fastdrain/bench/internal/figure"
)

// intervals are ratios with their confidence intervals, one above the other.
type intervals struct {
	plotter.XYs
	plotter.XErrors
}

// hundredths labels ratios: the default would round 1.04 to 1.
type hundredths struct{}

func (hundredths) Ticks(low, high float64) []plot.Tick {
	step := 0.01
	for (high-low)/step > 10 {
		step *= 2
	}
	var ticks []plot.Tick
	for v := math.Ceil(low/step) * step; v <= high; v += step {
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', 2, 64)})
	}
	return ticks
}

// ratios is what the patched copy costs, by workload: the ratio to upstream, in
// instructions and in time over sockets.
func ratios(s figure.Set) (*plot.Plot, Plot, error) {
	about := Plot{Title: "Patched over upstream, by workload", Section: RequestSection, File: "ratios.svg"}
	var names []string
	rows := map[string]float64{}
	row := func(workload string) float64 {
		if _, ok := rows[workload]; !ok {
			rows[workload] = -float64(len(names))
			names = append(names, workload)
		}
		return rows[workload]
	}
	p := newPlot("Patched over upstream (less is better)", "ratio", "")
	p.Legend.Left = false
	for i, m := range []struct {
		metric figure.Metric
		name   string
		color  color.Color
		shape  draw.GlyphDrawer
	}{
		{figure.Instructions, "instructions", colors["patched"], draw.CircleGlyph{}},
		{figure.WallTime, "time over sockets, with its confidence interval", colors["upstream"], draw.BoxGlyph{}},
	} {
		var all intervals
		for _, f := range s.Of(m.metric) {
			if f.Ratio == nil {
				continue
			}
			// The two of a workload beside each other.
			all.XYs = append(all.XYs, plotter.XY{X: *f.Ratio, Y: row(f.Workload) + 0.15 - 0.3*float64(i)})
			e := struct{ Low, High float64 }{}
			if f.Low != nil && f.High != nil {
				e.Low, e.High = *f.Ratio-*f.Low, *f.High-*f.Ratio
			}
			all.XErrors = append(all.XErrors, e)
		}
		if len(all.XYs) == 0 {
			continue
		}
		points, err := plotter.NewScatter(all.XYs)
		if err != nil {
			return nil, about, err
		}
		points.Color, points.Shape, points.Radius = m.color, m.shape, vg.Points(3)
		bars, err := plotter.NewXErrorBars(all)
		if err != nil {
			return nil, about, err
		}
		bars.Color = m.color
		p.Add(points, bars)
		p.Legend.Add(m.name, points)
	}
	if len(names) == 0 {
		return nil, about, nil
	}
	one, err := plotter.NewLine(plotter.XYs{{X: 1, Y: 0.5}, {X: 1, Y: 0.5 - float64(len(names))}})
	if err != nil {
		return nil, about, err
	}
	p.Add(one)
	var ticks []plot.Tick
	for name, at := range rows {
		ticks = append(ticks, plot.Tick{Value: at, Label: name})
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.X.Tick.Marker = hundredths{}
	p.Y.Min, p.Y.Max = 0.5-float64(len(names)), 1.8
	p.X.Min, p.X.Max = min(p.X.Min, 0.98), max(p.X.Max, 1.02)
	return p, about, nil
}
