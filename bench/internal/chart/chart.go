// Package chart draws the figures of a run as SVG.
package chart

import (
	"bytes"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/fastdrain/fastdrain/bench/internal/figure"
)

// Plot is a drawn plot.
type Plot struct {
	// Title is for readers who do not see it, Section the title of the table
	// that it belongs to, and File its name.
	Title, Section, File string
	SVG                  []byte
}

// Titles of the sections that have plots.
const (
	RequestSection  = "A request in one process, without sockets"
	DrainSection    = "A stop with many connections"
	SnapshotSection = "Looking at a patched server"
)

// Colors that differ for readers who do not see all colors, too.
var colors = map[string]color.Color{
	"upstream": color.RGBA{0xd5, 0x5e, 0x00, 0xff},
	"patched":  color.RGBA{0x00, 0x72, 0xb2, 0xff},
	"net/http": color.RGBA{0x00, 0x9e, 0x73, 0xff},
	"Hertz":    color.RGBA{0xcc, 0x79, 0xa7, 0xff},
}

// All draws the plots that there are figures for.
func All(s figure.Set) ([]Plot, error) {
	var plots []Plot
	for _, one := range []func(figure.Set) (*plot.Plot, Plot, error){ratios, drains, snapshots} {
		p, about, err := one(s)
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		canvas := vgsvg.New(20*vg.Centimeter, 11*vg.Centimeter)
		// A background, as dark pages would show through.
		p.BackgroundColor = color.White
		p.Draw(draw.New(canvas))
		var svg bytes.Buffer
		if _, err := canvas.WriteTo(&svg); err != nil {
			return nil, err
		}
		about.SVG = svg.Bytes()
		plots = append(plots, about)
	}
	return plots, nil
}

// newPlot makes a plot with a grid.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.TextStyle.Font.Size = vg.Points(13)
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = vg.Points(2)
	p.Add(plotter.NewGrid())
	return p
}

// logLog gives a plot logarithmic axes.
func logLog(p *plot.Plot) {
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = decades{}, decades{}
}

// decades labels the powers of ten, written out.
type decades struct{}

func (decades) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < low*0.999 || v > high*1.001 {
				continue
			}
			label := ""
			if m == 1 {
				label = strconv.FormatFloat(v, 'f', -1, 64)
			}
			ticks = append(ticks, plot.Tick{Value: v, Label: label})
		}
	}
	return ticks
}

// room leaves room for the legend above the lines.
func room(p *plot.Plot) { p.Y.Max *= 8 }

func line(p *plot.Plot, name string, c color.Color, points plotter.XYs) error {
	if len(points) == 0 {
		return nil
	}
	slices.SortFunc(points, func(a, b plotter.XY) int { return int(math.Copysign(1, a.X-b.X)) })
	l, s, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	l.Color, s.Color = c, c
	l.Width = vg.Points(1.5)
	s.Shape = draw.CircleGlyph{}
	p.Add(l, s)
	p.Legend.Add(name, l, s)
	return nil
}

// drains is the time of a stop by the number of idle connections.
func drains(s figure.Set) (*plot.Plot, Plot, error) {
	about := Plot{Title: "Time of a stop by the number of idle connections", Section: DrainSection, File: "drain.svg"}
	points := map[string]plotter.XYs{}
	for _, f := range s.Of(figure.Drain) {
		n, ok := number(f.Workload, "idle-")
		if !ok {
			continue
		}
		for name, v := range map[string]*float64{
			"upstream": f.Upstream, "patched": f.Patched, "net/http": other(f, "nethttp"), "Hertz": other(f, "hertz"),
		} {
			if v != nil && *v > 0 {
				points[name] = append(points[name], plotter.XY{X: n, Y: *v * 1e3})
			}
		}
	}
	if len(points["patched"]) < 2 {
		return nil, about, nil
	}
	p := newPlot("From the stop to the return of Shutdown", "idle connections", "milliseconds")
	logLog(p)
	for _, name := range []string{"upstream", "patched", "net/http", "Hertz"} {
		if err := line(p, name, colors[name], points[name]); err != nil {
			return nil, about, err
		}
	}
	room(p)
	return p, about, nil
}

// snapshots is the time of a look by the number of connections.
func snapshots(s figure.Set) (*plot.Plot, Plot, error) {
	about := Plot{Title: "Time of a snapshot and a scrape by the number of connections", Section: SnapshotSection, File: "snapshot.svg"}
	p := newPlot("Looking at a patched server", "connections", "milliseconds")
	logLog(p)
	for _, m := range []struct {
		metric figure.Metric
		name   string
		color  color.Color
	}{
		{figure.Scrape, "scrape", colors["Hertz"]},
		{figure.Snapshot, "ConnStats", colors["patched"]},
		{figure.LockHold, "lock held (p99)", colors["net/http"]},
	} {
		var points plotter.XYs
		for _, f := range s.Of(m.metric) {
			if n, ok := number(f.Workload, "snapshot-"); ok && f.Patched != nil && *f.Patched > 0 {
				points = append(points, plotter.XY{X: n, Y: *f.Patched * 1e3})
			}
		}
		if len(points) < 2 {
			return nil, about, nil
		}
		if err := line(p, m.name, m.color, points); err != nil {
			return nil, about, err
		}
	}
	room(p)
	return p, about, nil
}

func number(workload, prefix string) (float64, bool) {
	rest, ok := strings.CutPrefix(workload, prefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(rest, 64)
	return n, err == nil
}

func other(f *figure.Figure, name string) *float64 {
	if v, ok := f.Others[name]; ok {
		return &v
	}
	return nil
}
