package stats

import (
	"math"
	"testing"
)

func TestRatioOfPairsIgnoresWhatHitsBoth(t *testing.T) {
	a := []float64{1, 2, 4, 8, 16, 32, 64}
	b := make([]float64, len(a))
	for i := range a {
		b[i] = a[i] * 1.1
	}
	s := PairedRatio(a, b)
	for what, v := range map[string]float64{"median": s.Median, "low": s.Low, "high": s.High} {
		if math.Abs(v-1.1) > 1e-9 {
			t.Errorf("%s is %v, want 1.1: each pair's ratio is", what, v)
		}
	}
}

func TestTooFewValuesHaveNoInterval(t *testing.T) {
	if s := Of([]float64{1, 2, 3}); !math.IsInf(s.High, 1) || !math.IsInf(s.Low, -1) {
		t.Errorf("three values have the interval %v to %v, want an infinite one", s.Low, s.High)
	}
}

func TestExponent(t *testing.T) {
	x, y := []float64{1000, 5000, 15000}, make([]float64, 3)
	for i := range x {
		y[i] = 3e-6 * math.Pow(x[i], 1.25)
	}
	if e := Exponent(x, y); math.Abs(e-1.25) > 1e-9 {
		t.Errorf("the exponent is %v, want 1.25", e)
	}
	if e := Exponent(x[:1], y[:1]); !math.IsNaN(e) {
		t.Errorf("one point has the exponent %v, want none", e)
	}
}
