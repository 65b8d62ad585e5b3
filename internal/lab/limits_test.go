package lab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
)

func result(scenario, variant string, stops, lost int) *Result {
	r := &Result{Scenario: scenario, Variant: variant, Stops: stops, Lost: lost, exits: counter{process.ExitClean: stops}}
	r.Requests = 1000
	return r
}

func TestLimits(t *testing.T) {
	with := func(r *Result, change func(*Result)) *Result { change(r); return r }
	for name, c := range map[string]struct {
		results []*Result
		want    []outcome
	}{
		"nothing of the patched server": {[]*Result{result("keepalive", Upstream, 5, 7)}, nil},
		"keepalive without a loss":      {[]*Result{result("keepalive", Patched, 5, 0)}, []outcome{kept}},
		"keepalive with one":            {[]*Result{result("keepalive", Patched, 200, 1)}, []outcome{exceeded}},
		"idle with one":                 {[]*Result{result("idle", Patched, 10, 1)}, []outcome{exceeded}},
		"pool with one":                 {[]*Result{result("pool", Patched, 10, 1)}, []outcome{exceeded}},
		"exponential with one":          {[]*Result{result("exponential", Patched, 10, 1)}, nil},
		"greedy with one":               {[]*Result{result("greedy", Patched, 10, 1)}, []outcome{exceeded}},
		"slow with one":                 {[]*Result{result("slow", Patched, 10, 1)}, []outcome{exceeded}},
		"pipeline, executed but unanswered": {
			[]*Result{with(result("pipeline", Patched, 5, 0), func(r *Result) { r.ExecutedUnanswered = 1 })},
			[]outcome{kept, exceeded},
		},
		"connect, a tenth of upstream":  {[]*Result{result("connect", Upstream, 5, 50), result("connect", Patched, 5, 5)}, []outcome{kept}},
		"connect, more than a tenth":    {[]*Result{result("connect", Upstream, 5, 50), result("connect", Patched, 5, 6)}, []outcome{exceeded}},
		"connect without upstream":      {[]*Result{result("connect", Patched, 5, 6)}, []outcome{open}},
		"connect, upstream lost little": {[]*Result{result("connect-tls", Upstream, 5, 3), result("connect-tls", Patched, 5, 1)}, []outcome{open}},
		"connect, nobody lost anything": {[]*Result{result("connect-tls", Upstream, 5, 0), result("connect-tls", Patched, 5, 0)}, []outcome{kept}},
		"a control that shows nothing":  {[]*Result{result("keepalive", Upstream, 5, 0), result("keepalive", Patched, 5, 0)}, []outcome{open, kept}},
		"hold under the limit":          {[]*Result{with(result("hold", Patched, 5, 0), func(r *Result) { r.Shutdown.Median = 0.0199 })}, []outcome{kept}},
		"hold at the limit":             {[]*Result{with(result("hold", Patched, 5, 0), func(r *Result) { r.Shutdown.Median = 0.02 })}, []outcome{open}},
		"silent under the limit":        {[]*Result{with(result("silent", Patched, 5, 0), func(r *Result) { r.Shutdown.Median = 0.699 })}, []outcome{kept}},
		"silent at the limit":           {[]*Result{with(result("silent", Patched, 5, 0), func(r *Result) { r.Shutdown.Median = 0.7 })}, []outcome{open}},
		"hold as long as upstream's": {[]*Result{with(result("hold", Patched, 5, 0), func(r *Result) { r.Shutdown.Median = 0.1 }),
			with(result("hold", Upstream, 5, 0), func(r *Result) { r.Shutdown.Median = 0.1 })}, []outcome{exceeded}},
		"hold on a busy machine": {[]*Result{with(result("hold", Patched, 5, 0), func(r *Result) { r.Shutdown.Median = 0.03 }),
			with(result("hold", Upstream, 5, 0), func(r *Result) { r.Shutdown.Median = 0.1 })}, []outcome{kept}},
		"hold on a machine too busy": {[]*Result{with(result("hold", Patched, 5, 0), func(r *Result) { r.Shutdown.Median = 0.2 }),
			with(result("hold", Upstream, 5, 0), func(r *Result) { r.Shutdown.Median = 0.1 }),
			with(result("hold", NetHTTP, 5, 0), func(r *Result) { r.Shutdown.Median = 0.02 })}, []outcome{open}},
		"an exit code":   {[]*Result{with(result("slow", Patched, 5, 0), func(r *Result) { r.exits = counter{process.ExitClean: 4, "1": 1} })}, []outcome{kept, exceeded}},
		"a wrong answer": {[]*Result{with(result("slow", Patched, 5, 0), func(r *Result) { r.tally.problems.count("x", 1) })}, []outcome{kept, exceeded}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []outcome
			verdicts := judge(c.results)
			for _, v := range verdicts {
				got = append(got, v.outcome)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("outcomes %v, want %v; verdicts: %+v", got, c.want, verdicts)
			}
		})
	}
}

func TestJSONHasTheKeysAndTheFigures(t *testing.T) {
	r := newResult(cell{&scenarios[0], Patched})
	for _, d := range []time.Duration{ms(40), ms(10), ms(20), ms(30)} {
		r.add(&round{
			tally: tally{connections: 100, requests: 1000, answered: 990, lost: 3, refused: 2}, unfinished: 1, late: 2,
			executed: 991, executedKnown: true, shutdown: d, exit: process.ExitClean,
		})
	}
	path := filepath.Join(t.TempDir(), "lab.json")
	if err := writeJSON(path, []*Result{r}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if len(got) != 1 {
		t.Fatalf("%d objects, want 1: %s", len(got), text)
	}
	want := map[string]any{
		"scenario": "keepalive", "variant": "patched", "stops": 4.0, "connections": 400.0, "requests": 4000.0,
		"lost": 12.0, "executed_unanswered": 4.0, "unfinished": 4.0, "late": 8.0, "refused": 8.0, "exit": "0",
	}
	for key, value := range want {
		if got[0][key] != value {
			t.Errorf("%s is %v, want %v", key, got[0][key], value)
		}
	}
	if len(got[0]) != len(want)+1 {
		t.Errorf("the keys are not exactly those: %s", text)
	}
	seconds, _ := got[0]["shutdown_seconds"].(map[string]any)
	for key, value := range map[string]float64{"min": 0.01, "median": 0.025, "p99": 0.04, "max": 0.04} {
		if seconds[key] != value {
			t.Errorf("shutdown_seconds.%s is %v, want %v", key, seconds[key], value)
		}
	}
}

func TestUnknownNamesAreRefusedWithTheValidOnes(t *testing.T) {
	for name, c := range map[string]struct{ scenarios, variants []string }{
		"scenario": {[]string{"keepalive", "nope"}, nil},
		"variant":  {nil, []string{"nope"}},
	} {
		_, err := cells(c.scenarios, c.variants)
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if !strings.Contains(err.Error(), Patched) && !strings.Contains(err.Error(), "pipeline") {
			t.Errorf("%s: the error does not say what is valid: %v", name, err)
		}
	}
}

func TestScenarioThatIsNamedOnlyRunsWhenAskedFor(t *testing.T) {
	for _, c := range []struct {
		asked []string
		want  bool
	}{{nil, false}, {[]string{"deaf"}, true}} {
		groups, err := cells(c.asked, nil)
		if err != nil {
			t.Fatal(err)
		}
		runs := slices.ContainsFunc(groups, func(g []cell) bool { return g[0].scenario.name == "deaf" })
		if runs != c.want {
			t.Errorf("asked for %v: deaf runs: %t, want %t", c.asked, runs, c.want)
		}
		for _, g := range groups {
			if len(g) != len(Variants()) {
				t.Errorf("%s: %d variants, want all", g[0].scenario.name, len(g))
			}
		}
	}
}

func TestP99IsTheLeastThat99Of100DoNotExceed(t *testing.T) {
	var all []time.Duration
	for i := range 200 {
		all = append(all, time.Duration(i+1)*time.Second)
	}
	for n, want := range map[int]float64{1: 1, 99: 99, 100: 99, 101: 100, 200: 198} {
		if got := spreadOf(all[:n]).P99; got != want {
			t.Errorf("of %d: %v, want %v", n, got, want)
		}
	}
}
