package figure

import (
	"fmt"
	"math"
	"slices"
)

// Of is what of a figure a limit is for.
type Of int

const (
	// Ratio is patched over upstream.
	Ratio Of = iota
	// RatioHigh is the upper end of the ratio's confidence interval.
	RatioHigh
	// Extra is patched minus upstream.
	Extra
	// OverNetHTTP is patched over net/http.
	OverNetHTTP
	// Absolute is the patched figure.
	Absolute
)

// String says it in words.
func (o Of) String() string {
	switch o {
	case Ratio:
		return "patched over upstream"
	case RatioHigh:
		return "upper end of patched over upstream"
	case Extra:
		return "patched minus upstream"
	case OverNetHTTP:
		return "patched over net/http"
	}
	return "patched"
}

// Limit is what a figure of the patched server must not exceed.
type Limit struct {
	// Workload is the figure's, or "*" for all workloads that have the metric.
	Workload string
	Metric   Metric
	Of       Of
	// Most is the limit of a whole run.
	Most float64
	// Gate is the limit of the gate in continuous integration, if it has one.
	Gate *float64
}

// Limits are all limits. What is exact on a noisy machine is the gate's: the
// instructions of the core workloads, their allocations, and their atomic
// read-modify-writes, which cost much more than the one instruction that they
// count as. A new connection may cost some; a request may not.
//
// A small tolerance stands where "no more" is meant: the runtime's own work, a
// timer or a pool's refill, does not fall on the same request in every run.
var Limits = []Limit{
	{"get", Instructions, Ratio, 1.002, gate(1.005)},
	{"get-browser", Instructions, Ratio, 1.005, gate(1.005)},
	{"post-1k", Instructions, Ratio, 1.005, gate(1.005)},
	{"pipeline-16", Instructions, Ratio, 1.002, gate(1.005)},
	{"pipeline-64", Instructions, Ratio, 1.002, gate(1.005)},
	{"conn-per-request", Instructions, Ratio, 1.02, gate(1.02)},
	{"get", Atomics, Extra, 0.05, gate(0.05)},
	{"get-browser", Atomics, Extra, 0.05, gate(0.05)},
	{"post-1k", Atomics, Extra, 0.05, gate(0.05)},
	{"pipeline-16", Atomics, Extra, 0.05, gate(0.05)},
	{"pipeline-64", Atomics, Extra, 0.05, gate(0.05)},
	{"*", Allocs, Extra, 0.01, gate(0.01)},

	{"*", WallTime, Ratio, 1.01, nil},
	{"*", WallTime, RatioHigh, 1.02, nil},

	{"idle-100", Drain, Ratio, 1, nil},
	{"idle-1000", Drain, Ratio, 0.4, nil},
	{"idle-5000", Drain, Ratio, 1, nil},
	{"idle-10000", Drain, Ratio, 1, nil},
	{"idle-15000", Drain, Ratio, 1, nil},
	{"idle-5000", Drain, OverNetHTTP, 1.2, nil},
	{"idle-10000", Drain, OverNetHTTP, 1.2, nil},
	{"idle-15000", Drain, OverNetHTTP, 1.2, nil},
	{"idle-5000", DrainCPU, Ratio, 1.25, nil},
	{"idle-10000", DrainCPU, Ratio, 1.25, nil},
	{"idle-15000", DrainCPU, Ratio, 1.25, nil},
	{"idle-1000..15000", DrainExponent, Absolute, 1.1, nil},
	{"*", DrainLost, Absolute, 0, nil},
	{"idle-10000", IdleMemory, Extra, 128, nil},
}

func gate(v float64) *float64 { return &v }

// Verdict is what a figure says about a limit.
type Verdict struct {
	Limit Limit
	// Figure is nil if the limit is open: nothing was measured.
	Figure *Figure
	// Value is what is to be compared with Most, the limit that was applied.
	Value, Most float64
	// Noise is what the same of upstream over itself is, above 1 or below: a Value
	// within it is the machine's. 0 where there is no such control.
	Noise float64
	// Least is what Value is of the server that does the least that loses nothing, and
	// of processor time the [Floor]: what is to be had. 0 where there is none. It excuses
	// nothing.
	Least float64
}

// Open says that there was no figure for the limit.
func (v Verdict) Open() bool { return v.Figure == nil }

// Noisy says that the limit is not kept, but upstream against itself would not keep
// it either.
func (v Verdict) Noisy() bool { return v.Figure != nil && v.Value > v.Most && v.Value <= v.Noise }

// Exceeded says that the limit is not kept.
func (v Verdict) Exceeded() bool { return v.Figure != nil && !(v.Value <= v.Most) && !v.Noisy() }

// String says what was measured and what the limit is.
func (v Verdict) String() string {
	if v.Open() {
		return fmt.Sprintf("%s, %s: not measured (%s, at most %.6g)", v.Limit.Workload, v.Limit.Metric, v.Limit.Of, v.Most)
	}
	noise := ""
	if v.Noise > 0 {
		noise = fmt.Sprintf("; upstream over itself %.5g", v.Noise)
	}
	if v.Least > 0 {
		least := "least"
		if _, ok := v.Figure.Others[Floor]; ok {
			least = Floor
		}
		noise = fmt.Sprintf("; the %s %.5g", least, v.Least)
	}
	return fmt.Sprintf("%s, %s: %.5g, at most %.6g (%s%s)", v.Figure.Workload, v.Figure.Metric, v.Value, v.Most, v.Limit.Of, noise)
}

// Judge applies the limits of the given metrics to the figures: those of the
// gate, or those of a run.
func Judge(s Set, gate bool, metrics ...Metric) []Verdict {
	var verdicts []Verdict
	for _, l := range Limits {
		most := l.Most
		if gate {
			if l.Gate == nil {
				continue
			}
			most = *l.Gate
		}
		if !slices.Contains(metrics, l.Metric) {
			continue
		}
		found := false
		for _, f := range s.Of(l.Metric) {
			if l.Workload != "*" && l.Workload != f.Workload {
				continue
			}
			if v, ok := l.value(f); ok {
				found = true
				verdicts = append(verdicts, Verdict{l, f, v, most, l.noise(f), l.least(f)})
			}
		}
		if !found {
			verdicts = append(verdicts, Verdict{Limit: l, Most: most})
		}
	}
	return verdicts
}

// noise is the control's counterpart of value: which of the two processes is called
// the first is chance. The control is one process over another, and a figure one over
// the mean of two, which varies less: by the root of 3/4.
func (l Limit) noise(f *Figure) float64 {
	less := func(ratio float64) float64 { return math.Pow(ratio, math.Sqrt(3)/2) }
	switch c := f.Control; {
	case c == nil:
	case l.Of == Ratio:
		return less(max(c.Ratio, 1/c.Ratio))
	case l.Of == RatioHigh && c.Low != nil && c.High != nil:
		return less(max(*c.High, 1 / *c.Low))
	}
	return 0
}

// least is the counterpart of value of the server that does the least, or of the floor.
func (l Limit) least(f *Figure) float64 {
	least, ok := f.Others[Floor]
	if !ok {
		least = f.Others["least"]
	}
	switch {
	case l.Of == Ratio && f.Upstream != nil && *f.Upstream > 0:
		return least / *f.Upstream
	case l.Of == OverNetHTTP && f.Others["nethttp"] > 0:
		return least / f.Others["nethttp"]
	case l.Of == Absolute:
		return least
	}
	return 0
}

func (l Limit) value(f *Figure) (v float64, ok bool) {
	p := f.Patched
	switch l.Of {
	case Ratio:
		p = f.Ratio
	case RatioHigh:
		p = f.High
	case Extra:
		if f.Upstream == nil || f.Patched == nil {
			return 0, false
		}
		return *f.Patched - *f.Upstream, true
	case OverNetHTTP:
		if f.Patched == nil || f.Others["nethttp"] == 0 {
			return 0, false
		}
		return *f.Patched / f.Others["nethttp"], true
	}
	if p == nil {
		return 0, false
	}
	return *p, true
}
