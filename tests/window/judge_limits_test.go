//go:build linux

package window

import (
	"math"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
)

// The judgement itself: each limit is kept, and exceeded by one more.
func TestJudge(t *testing.T) {
	result := func(variant string, lost int, median, most float64) *lab.Result {
		return &lab.Result{
			Variant: variant, Stops: 20, Connections: 20000, Requests: 50000, Lost: lost, Exit: "0",
			Shutdown: lab.Spread{Median: median, Max: most},
		}
	}
	quiet := &stalls{seen: []time.Duration{time.Millisecond}}
	busy := &stalls{seen: []time.Duration{100 * time.Millisecond}}
	none := limit{lost: 0, median: time.Second}
	for name, c := range map[string]struct {
		limit             limit
		upstream, patched *lab.Result
		stalls            *stalls
		want              int
	}{
		"as it should be":             {none, result("upstream", 30, 0.1, 0.1), result("patched", 0, 1, 1.1), quiet, 0},
		"one lost":                    {none, result("upstream", 30, 0.1, 0.1), result("patched", 1, 1, 1.1), quiet, 1},
		"slow":                        {none, result("upstream", 30, 0.1, 0.1), result("patched", 0, 1.2, 1.3), quiet, 1},
		"slow on a slow machine":      {none, result("upstream", 30, 0.1, 0.1), result("patched", 0, 1.9, 2.0), busy, 0},
		"one stop that hangs":         {none, result("upstream", 30, 0.1, 0.1), result("patched", 0, 1, 4), quiet, 1},
		"within chance of 1 in 1,000": {limit{lost: 1}, result("upstream", 90, 0.1, 0.1), result("patched", 33, 1, 1), quiet, 0},
		"beyond it":                   {limit{lost: 1}, result("upstream", 90, 0.1, 0.1), result("patched", 38, 1, 1), quiet, 1},
		"and on a slow machine":       {limit{lost: 1}, result("upstream", 90, 0.1, 0.1), result("patched", 90, 1, 1), busy, 0},
		"of the requests":             {limit{lost: 1, of: requests}, result("upstream", 90, 0.1, 0.1), result("patched", 50, 1, 1), quiet, 0},
		"more than upstream":          {limit{lost: noLimit}, result("upstream", 15, 0.1, 0.1), result("patched", 43, 1, 1), quiet, 1},
		"about as many":               {limit{lost: noLimit}, result("upstream", 15, 0.1, 0.1), result("patched", 25, 1, 1), quiet, 0},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := judge(c.limit, c.upstream, c.patched, c.stalls)
			if len(wrong) != c.want {
				t.Errorf("%d complaints, want %d: %q", len(wrong), c.want, wrong)
			}
		})
	}
	killed := result("patched", 0, 1, 1)
	killed.Exit = "killed"
	if wrong := judge(none, result("upstream", 30, 0.1, 0.1), killed, quiet); len(wrong) != 1 {
		t.Errorf("a process that had to be killed: %q", wrong)
	}
}

// The probabilities, beside sums that can be written down.
func TestChance(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{moreThan(0, 10, 5, 10), 1},
		{moreThan(2, 10, 0, 10), 0.25},     // both of two coins
		{moreThan(3, 10, 1, 10), 5.0 / 16}, // 3 or 4 of four
		{moreThan(1, 10, 0, 30), 0.25},     // a quarter of the stops
		{atLeast(0, 3), 1},
		{atLeast(1, 2), 1 - math.Exp(-2)},
		{atLeast(2, 1), 1 - 2*math.Exp(-1)},
	} {
		if math.Abs(c.got-c.want) > 1e-9 {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
}
