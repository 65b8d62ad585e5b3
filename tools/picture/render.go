package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
)

// The places of the two panels, in pixels.
const (
	barLeft, barWidth   = 150.0, 190.0
	barTop, barDistance = 84.0, 62.0

	areaLeft, areaWidth  = 450.0, 380.0
	areaTop, areaBottom  = 70.0, 310.0
	firstTime, timeLabel = -before, 250 * time.Millisecond
)

// names are what the scenarios are called in the picture.
var names = map[string]string{
	"keepalive":   "keep-alive",
	"pipeline":    "pipelined",
	"connect":     "connecting",
	"connect-tls": "with TLS",
}

type bar struct {
	Class    string
	Y, Width float64
	Lost     int
}

type scenario struct {
	Name string
	Y    float64
}

type area struct{ Class, Path string }

type label struct {
	X, Y float64
	Text string
}

type picture struct {
	Rounds     int
	Scenarios  []scenario
	Bars       []bar
	Areas      []area
	StopSeen   string
	Times      []label
	Counts     []label
	StopX      float64
	DoneX      float64
	Took       time.Duration
	Alt        string
	AreaTop    float64
	AreaBottom float64
}

func render(rounds int, results []*lab.Result, samples []sample) ([]byte, error) {
	p := &picture{Rounds: rounds, AreaTop: areaTop, AreaBottom: areaBottom}
	p.bars(results)
	p.areas(samples)
	var out bytes.Buffer
	err := page.Execute(&out, p)
	return out.Bytes(), err
}

// bars fills the left panel. The length is logarithmic: one loss is to be seen
// beside a thousand.
func (p *picture) bars(results []*lab.Result) {
	most := 1
	for _, r := range results {
		most = max(most, r.Lost)
	}
	rows := map[string]int{}
	var alt []string
	for _, r := range results {
		row, known := rows[r.Scenario]
		if !known {
			row = len(rows)
			rows[r.Scenario] = row
			p.Scenarios = append(p.Scenarios, scenario{names[r.Scenario], barTop + float64(row)*barDistance + 22})
		}
		b := bar{Class: "upstream", Y: barTop + float64(row)*barDistance, Lost: r.Lost}
		if r.Variant == lab.Patched {
			b.Class, b.Y = "patched", b.Y+22
		}
		b.Width = max(2, barWidth*math.Log10(1+float64(r.Lost))/math.Log10(1+float64(most)))
		p.Bars = append(p.Bars, b)
		alt = append(alt, fmt.Sprintf("%s, %s: %d", names[r.Scenario], r.Variant, r.Lost))
	}
	p.Alt = strings.Join(alt, "; ")
}

// areas fills the right panel: states upon one another, and those that have seen
// the stop as a line.
func (p *picture) areas(samples []sample) {
	last := samples[len(samples)-1].at
	most := 1
	for _, s := range samples {
		most = max(most, s.stats.Open)
		if s.stats.Open > 0 {
			p.Took = s.at
		}
	}
	x := func(at time.Duration) float64 {
		return areaLeft + areaWidth*float64(at-firstTime)/float64(last-firstTime)
	}
	y := func(n int) float64 { return areaBottom - (areaBottom-areaTop)*float64(n)/float64(most) }
	layer := func(class string, from, to func(sample) int) {
		var there, back strings.Builder
		for i, s := range samples {
			fmt.Fprintf(&there, "L%.1f %.1f", x(s.at), y(to(s)))
			b := samples[len(samples)-1-i]
			fmt.Fprintf(&back, "L%.1f %.1f", x(b.at), y(from(b)))
		}
		p.Areas = append(p.Areas, area{class, "M" + there.String()[1:] + back.String() + "Z"})
	}
	zero := func(sample) int { return 0 }
	active := func(s sample) int { return s.stats.Active }
	idle := func(s sample) int { return s.stats.Active + s.stats.Idle }
	all := func(s sample) int { return s.stats.Open }
	layer("active", zero, active)
	layer("idle", active, idle)
	layer("new", idle, all)
	var seen strings.Builder
	for _, s := range samples {
		fmt.Fprintf(&seen, "L%.1f %.1f", x(s.at), y(s.stats.StopSeen))
	}
	p.StopSeen = "M" + seen.String()[1:]
	p.StopX, p.DoneX = x(0), x(p.Took)
	for at := time.Duration(0); at <= last; at += timeLabel {
		p.Times = append(p.Times, label{x(at), areaBottom + 18, at.String()})
	}
	for _, n := range []int{0, 50, 100, 150, 200} {
		if n <= most {
			p.Counts = append(p.Counts, label{areaLeft - 8, y(n) + 4, fmt.Sprint(n)})
		}
	}
}
