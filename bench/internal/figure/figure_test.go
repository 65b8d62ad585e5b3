package figure

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// within makes figures that keep every limit.
func within() Set {
	var s Set
	for _, l := range Limits {
		name := l.Workload
		if name == "*" {
			name = "some"
		}
		f := New(name, l.Metric, 1, 1)
		switch l.Of {
		case Ratio:
			f.Ratio = Value(l.Most)
		case RatioHigh:
			f.High = Value(l.Most)
		case OverNetHTTP:
			f.Patched, f.Others = Value(l.Most), map[string]float64{"nethttp": 1}
		case Absolute:
			f.Patched = Value(l.Most)
		}
		s = append(s, f)
	}
	return s
}

func allMetrics() []Metric {
	var m []Metric
	for _, l := range Limits {
		m = append(m, l.Metric)
	}
	return m
}

func TestEachLimitIsExceededByALittleMore(t *testing.T) {
	for _, gate := range []bool{false, true} {
		for _, v := range Judge(within(), gate, allMetrics()...) {
			if v.Exceeded() || v.Open() {
				t.Errorf("gate %t: a figure at its limit: %s", gate, v)
			}
		}
		for i, l := range Limits {
			if gate && l.Gate == nil {
				continue
			}
			s := within()
			most := l.Most
			if gate {
				most = *l.Gate
			}
			more := most + 0.001
			switch l.Of {
			case Ratio:
				s[i].Ratio = Value(more)
			case RatioHigh:
				s[i].High = Value(more)
			case Extra:
				s[i].Patched = Value(1 + more)
			case OverNetHTTP, Absolute:
				s[i].Patched = Value(more)
			}
			n := 0
			for _, v := range Judge(s, gate, allMetrics()...) {
				if v.Exceeded() {
					n++
				}
			}
			if n != 1 {
				t.Errorf("gate %t, %s %s, 0.001 over the limit: %d limits exceeded, want this one", gate, l.Workload, l.Metric, n)
			}
		}
	}
}

// What upstream over itself does not keep either is the machine's, and no more. A figure
// is over the mean of two processes, so it varies less than one over another.
func TestNoiseIsWhatUpstreamOverItselfIs(t *testing.T) {
	for _, c := range []struct {
		of                      Of
		value, ratio, low, high float64
		exceeded, isNoise       bool
	}{
		{of: RatioHigh, value: 1.015, ratio: 1, low: 0.999, high: 1.001},
		{of: RatioHigh, value: 1.025, ratio: 1, low: 0.999, high: 1.01, exceeded: true},
		{of: RatioHigh, value: 1.025, ratio: 1, low: 0.999, high: 1.03, isNoise: true},
		{of: RatioHigh, value: 1.028, ratio: 1, low: 0.999, high: 1.03, exceeded: true}, // but for the varying less
		{of: RatioHigh, value: 1.025, ratio: 1, low: 0.97, high: 1.001, isNoise: true},  // the other way round
		{of: RatioHigh, value: 1.04, ratio: 1, low: 0.97, high: 1.03, exceeded: true},
		{of: Ratio, value: 1.005, ratio: 1, low: 0.9, high: 1.1},
		{of: Ratio, value: 1.02, ratio: 1.005, low: 0.9, high: 1.1, exceeded: true},
		{of: Ratio, value: 1.02, ratio: 1.03, low: 0.9, high: 1.1, isNoise: true},
		{of: Ratio, value: 1.028, ratio: 1.03, low: 0.9, high: 1.1, exceeded: true},
		{of: Ratio, value: 1.02, ratio: 0.97, low: 0.9, high: 1.1, isNoise: true},
	} {
		f := New("get", WallTime, 1, 1)
		f.Ratio, f.High = Value(c.value), Value(c.value)
		f.Control = &Interval{Ratio: c.ratio, Low: Value(c.low), High: Value(c.high)}
		seen := false
		for _, v := range Judge(Set{f}, false, WallTime) {
			if v.Limit.Of != c.of || v.Open() {
				continue
			}
			seen = true
			if v.Exceeded() != c.exceeded || v.Noisy() != c.isNoise {
				t.Errorf("%+v: exceeded %t, noise %t: %s", c, v.Exceeded(), v.Noisy(), v)
			}
		}
		if !seen {
			t.Errorf("%+v: no limit was applied", c)
		}
	}
}

// A stop is shown beside that of the server that does the least, which excuses nothing.
func TestStopIsShownBesideTheLeast(t *testing.T) {
	f := New("idle-10000", Drain, 2, 4)
	f.Others = map[string]float64{"nethttp": 1, "least": 3}
	for _, v := range Judge(Set{f}, false, Drain) {
		if v.Open() {
			continue
		}
		want := 1.5
		if v.Limit.Of == OverNetHTTP {
			want = 3
		}
		if v.Least != want || !v.Exceeded() {
			t.Errorf("the least %v, exceeded %t: %s; want %v, true", v.Least, v.Exceeded(), v, want)
		}
	}
}

// Of processor time the kernel says what a stop takes that loses nothing: which of two
// programs in Go does the least it does not.
func TestProcessorTimeIsShownBesideTheFloor(t *testing.T) {
	f := New("idle-10000", DrainCPU, 2, 4)
	f.Others = map[string]float64{"least": 9, "closes": 1}
	f.AddFloor("closes", "drains")
	if _, ok := f.Others[Floor]; ok {
		t.Error("there is a floor without a server that drains")
	}
	f.Others["drains"] = 1.5
	f.AddFloor("closes", "drains")
	seen := false
	for _, v := range Judge(Set{f}, false, DrainCPU) {
		if v.Open() {
			continue
		}
		seen = true
		if v.Least != 1.25 || !v.Exceeded() {
			t.Errorf("the floor %v, exceeded %t: %s; want 1.25, true", v.Least, v.Exceeded(), v)
		}
	}
	if !seen {
		t.Error("no limit was applied")
	}
}

func TestLimitWithoutFigureIsOpen(t *testing.T) {
	verdicts := Judge(nil, true, allMetrics()...)
	if len(verdicts) == 0 {
		t.Fatal("no verdicts")
	}
	for _, v := range verdicts {
		if !v.Open() || v.Exceeded() {
			t.Errorf("nothing was measured, and the verdict is %s", v)
		}
	}
	// Too few rounds for an interval are no measurement of one.
	for _, v := range Judge(Set{New("get", WallTime, 1, 1)}, false, WallTime) {
		if v.Limit.Of == RatioHigh && !v.Open() {
			t.Errorf("a ratio without an interval: %s", v)
		}
	}
}

func TestGateKeepsItsPromises(t *testing.T) {
	core := map[string]bool{}
	for _, l := range Limits {
		if l.Metric == Instructions && l.Gate != nil {
			core[l.Workload] = true
			if *l.Gate > 1.005 && l.Workload != "conn-per-request" || *l.Gate < l.Most {
				t.Errorf("%s: the gate's limit is %v, want at most 1.005 and not below the run's %v", l.Workload, *l.Gate, l.Most)
			}
		}
	}
	for _, name := range []string{"get", "get-browser", "post-1k", "pipeline-16", "pipeline-64", "conn-per-request"} {
		if !core[name] {
			t.Errorf("the gate does not limit the instructions of %s", name)
		}
	}
}

func TestJSONHasTheKeysThatReadersAskFor(t *testing.T) {
	f := New("get", Time, 100, 101)
	f.Low, f.High = Value(0.99), Value(1.03)
	path := filepath.Join(t.TempDir(), "figures.json")
	if err := (Set{f, Patched("snapshot-100", Snapshot, 0.1)}).WriteJSON(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(text, &got); err != nil || len(got) != 2 {
		t.Fatalf("not an array of two: %v\n%s", err, text)
	}
	want := map[string]any{"workload": "get", "metric": "ns_per_op", "upstream": 100.0, "patched": 101.0, "ratio": 1.01, "low": 0.99, "high": 1.03}
	for key, value := range want {
		if got[0][key] != value {
			t.Errorf("%s is %v, want %v", key, got[0][key], value)
		}
	}
	if v, ok := got[1]["upstream"]; !ok || v != nil {
		t.Errorf("upstream of what it does not have is %v, want null", v)
	}
	if strings.Contains(string(text), "runs") {
		t.Errorf("runs that were not counted are in the file: %s", text)
	}
}

func TestSetLaidOverAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.json")
	fresh := Set{New("get", Time, 100, 103), New("post", Time, 1, 1)}
	if all, err := fresh.Over(path); err != nil || len(all) != 2 {
		t.Fatalf("without a file: %d figures, %v; want the set's 2", len(all), err)
	}
	old := Set{New("get", Time, 100, 200), New("get", Drain, 1, 2)}
	if err := old.WriteJSON(path); err != nil {
		t.Fatal(err)
	}
	all, err := fresh.Over(path)
	if err != nil || len(all) != 3 {
		t.Fatalf("%d figures, %v; want 3", len(all), err)
	}
	if got := *all.Find("get", Time).Patched; got != 103 {
		t.Errorf("a figure measured again is %v, want the new one", got)
	}
	if got := *all.Find("get", Drain).Patched; got != 2 {
		t.Errorf("a figure not measured again is %v, want the file's", got)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Over(path); err == nil {
		t.Error("a file that is no JSON is no error")
	}
}
