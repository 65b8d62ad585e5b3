// Package stats compares measurements of two sides as benchstat does: without an
// assumption on how noise is distributed, by medians.
package stats

import (
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
	"gonum.org/v1/gonum/stat"
)

// confidence of all intervals.
const confidence = 0.95

// Summary is a median and its confidence interval. The interval is infinite if
// there are too few values for one (less than six).
type Summary struct {
	Median, Low, High float64
}

// Width is the interval's width over the median.
func (s Summary) Width() float64 { return (s.High - s.Low) / s.Median }

// Of summarizes values. There has to be one.
func Of(values []float64) Summary {
	s := benchmath.AssumeNothing.Summary(sample(values), confidence)
	return Summary{s.Center, s.Lo, s.Hi}
}

// PairedRatio summarizes the ratios of b over a, pair by pair: what the machine
// did during a pair has hit both of it.
func PairedRatio(a, b []float64) Summary {
	ratios := make([]float64, min(len(a), len(b)))
	for i := range ratios {
		ratios[i] = b[i] / a[i]
	}
	return Of(ratios)
}

// P is the probability of a difference like that of the values if there is none,
// by the Mann-Whitney U test.
func P(a, b []float64) float64 {
	return benchmath.AssumeNothing.Compare(sample(a), sample(b)).P
}

func sample(values []float64) *benchmath.Sample {
	t := benchmath.DefaultThresholds
	return benchmath.NewSample(slices.Clone(values), &t)
}

// Exponent fits y = c * x^e and returns e. It is NaN for less than two points,
// or if one is not positive.
func Exponent(x, y []float64) float64 {
	if len(x) < 2 {
		return math.NaN()
	}
	lx, ly := make([]float64, len(x)), make([]float64, len(y))
	for i := range x {
		lx[i], ly[i] = math.Log(x[i]), math.Log(y[i])
	}
	_, e := stat.LinearRegression(lx, ly, nil, false)
	return e
}
