// Package figure holds what a run has measured, and the limits that it has to
// keep.
//
// A figure is one metric of one workload on both sides. The limits are one
// table, [Limits]; [Judge] applies it, and says of a limit whose figure was not
// measured that it is open, so that a run can never pass by measuring nothing.
package figure

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// Metric names what is measured, with its unit.
type Metric string

// The metrics. Those of a request or operation are of one request.
const (
	Instructions Metric = "instructions_per_request"
	Atomics      Metric = "atomic_rmw_per_request" // LOCK-prefixed and XCHG, executed
	AtomicSites  Metric = "atomic_rmw_sites"       // such instructions in the code that a request runs
	Time         Metric = "ns_per_op"
	Bytes        Metric = "bytes_per_op"
	Allocs       Metric = "allocs_per_op"

	Rate       Metric = "requests_per_second"
	WallTime   Metric = "seconds_per_request"     // over sockets: the inverse of the rate
	CPUTime    Metric = "cpu_seconds_per_request" // of the server process, kernel included
	LatencyP50 Metric = "p50_seconds"
	LatencyP99 Metric = "p99_seconds"
	LatencyTop Metric = "p99_9_seconds"

	Drain         Metric = "drain_seconds"     // from the stop to Shutdown's return
	DrainCPU      Metric = "drain_cpu_seconds" // of the server process
	DrainMemory   Metric = "drain_peak_bytes"  // resident, the highest during the drain
	DrainLost     Metric = "drain_lost"        // requests, or connections reset
	DrainExponent Metric = "drain_exponent"    // of the drain's time in the connections
	IdleMemory    Metric = "bytes_per_idle_connection"
	IdleResident  Metric = "resident_bytes_per_idle_connection"

	Snapshot Metric = "snapshot_seconds"      // ConnStats
	Scrape   Metric = "scrape_seconds"        // a whole Prometheus scrape
	LockHold Metric = "lock_hold_p99_seconds" // of a lock that a new connection waits for
)

// Together is in the place of a workload where a figure is of the rounds of all: only its
// ratios say something, and with more rounds they say it more exactly.
const Together = "together"

// Figure is one metric of one workload. A pointer is nil where there is nothing
// to be said: upstream has no snapshot, for one.
type Figure struct {
	Workload string   `json:"workload"`
	Metric   Metric   `json:"metric"`
	Upstream *float64 `json:"upstream"`
	Patched  *float64 `json:"patched"`
	// Ratio is patched over upstream.
	Ratio *float64 `json:"ratio"`
	// Low and High are the confidence interval of the ratio at 95 %, or of the
	// patched figure where there is no ratio.
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
	// Control is the same of upstream over itself, measured in the same rounds: what
	// the machine makes of no difference at all.
	Control *Interval `json:"control,omitempty"`
	// P is the probability of a difference like this one if there is none, by the
	// Mann-Whitney U test.
	P *float64 `json:"p,omitempty"`
	// Others are the figures of other servers by name, for orientation.
	Others map[string]float64 `json:"others,omitempty"`
	// Runs is how many runs of each side the figure is made of.
	Runs int `json:"runs,omitempty"`
	// Sites says where a difference is, for figures that know.
	Sites []string `json:"sites,omitempty"`
}

// Interval is a ratio with its confidence interval at 95 %.
type Interval struct {
	Ratio float64  `json:"ratio"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
}

// New makes a figure of both sides. A ratio of zeros is 1, and one over zero is
// left out.
func New(workload string, m Metric, upstream, patched float64) *Figure {
	f := &Figure{Workload: workload, Metric: m, Upstream: &upstream, Patched: &patched}
	switch {
	case upstream != 0:
		f.Ratio = Value(patched / upstream)
	case patched == 0:
		f.Ratio = Value(1)
	}
	return f
}

// Floor is the name among the others of what a stop that loses nothing takes of a server
// that takes as much as upstream's for all else: upstream's, and what such a stop takes in
// the kernel beside one that only closes.
const Floor = "floor"

// AddFloor adds the floor, by the names of two among the others: a server that is system
// calls and nothing else, and only closes, and the same that loses nothing.
func (f *Figure) AddFloor(closes, drains string) {
	c, d := f.Others[closes], f.Others[drains]
	if c > 0 && d > 0 && f.Upstream != nil {
		f.Others[Floor] = *f.Upstream + d - c
	}
}

// Patched makes a figure that only the patched server has.
func Patched(workload string, m Metric, v float64) *Figure {
	return &Figure{Workload: workload, Metric: m, Patched: &v}
}

// Value returns a pointer to v, nil for one that is no number.
func Value(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Set is all figures of a run, in the order of their measurement.
type Set []*Figure

// Find returns a figure, nil if it was not measured.
func (s Set) Find(workload string, m Metric) *Figure {
	for _, f := range s {
		if f.Workload == workload && f.Metric == m {
			return f
		}
	}
	return nil
}

// Of returns the figures of a metric, in order.
func (s Set) Of(m Metric) Set {
	var of Set
	for _, f := range s {
		if f.Metric == m {
			of = append(of, f)
		}
	}
	return of
}

// Over lays the set over the one in a file that WriteJSON has written: what the
// set has not measured is the file's, in its order. Without the file it is the
// set itself.
func (s Set) Over(path string) (Set, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	var all Set
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, f := range s {
		i := slices.IndexFunc(all, func(g *Figure) bool { return g.Workload == f.Workload && g.Metric == f.Metric })
		if i < 0 {
			all = append(all, f)
		} else {
			all[i] = f
		}
	}
	return all, nil
}

// WriteJSON writes the figures as an array to a file, which is complete or not
// there.
func (s Set) WriteJSON(path string) error {
	if s == nil {
		s = Set{}
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return tree.WriteFile(path, append(text, '\n'), 0o644)
}
