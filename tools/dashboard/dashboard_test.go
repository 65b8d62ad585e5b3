package dashboard

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/metrics"
)

const file = "../../metrics/dashboards/fastdrain.json"

func TestFileIsWhatTheGeneratorMakes(t *testing.T) {
	want, err := New().JSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s (%d bytes) is not what the generator makes (%d bytes): run make dashboard", file, len(got), len(want))
	}
}

// TestDashboardAsksForTheInstrumentsThatExist compares both ways: a query for a
// metric that is not exported shows nothing, and a metric that no panel shows is
// forgotten.
func TestDashboardAsksForTheInstrumentsThatExist(t *testing.T) {
	asked := map[string]bool{}
	for _, q := range New().Queries() {
		for _, s := range selectors(t, q.Name(), q.Expr) {
			asked[s] = true
		}
	}
	for _, in := range metrics.Instruments() {
		if in.Prometheus == "" {
			continue
		}
		if !asked[in.Prometheus] {
			t.Errorf("no panel shows %s", in.Prometheus)
		}
	}
}

func TestAlertsAskForInstrumentsThatExist(t *testing.T) {
	rules, err := os.ReadFile("../../metrics/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	if len(selectors(t, "alerts.yml", string(rules))) == 0 {
		t.Error("the alert rules ask for no metric of ours")
	}
}

var (
	selector = regexp.MustCompile(`(fasthttp_server_\w+)(\{[^}]*\})?`)
	matcher  = regexp.MustCompile(`(\w+)\s*(=~|!~|=|!=)\s*"([^"]*)"`)
)

// selectors returns the metrics that text asks for, and reports those that do
// not exist, and the labels and label values that they do not have.
func selectors(t *testing.T, where, text string) []string {
	t.Helper()
	table := map[string]metrics.Instrument{}
	for _, in := range metrics.Instruments() {
		table[in.Prometheus] = in
	}
	var names []string
	for _, m := range selector.FindAllStringSubmatch(text, -1) {
		in, ok := table[m[1]]
		if !ok {
			t.Errorf("%s asks for %s, which is not in the table of instruments", where, m[1])
			continue
		}
		names = append(names, m[1])
		for _, label := range matcher.FindAllStringSubmatch(m[2], -1) {
			switch label[1] {
			case "job", "instance", metrics.ServerLabel:
			case in.Label:
				for _, value := range strings.Split(label[3], "|") {
					if !slices.Contains(in.Values, value) {
						t.Errorf("%s asks for %s with %s=%q; it has %q", where, m[1], label[1], value, in.Values)
					}
				}
			default:
				t.Errorf("%s asks for %s by its label %s; it has %q", where, m[1], label[1], in.Label)
			}
		}
	}
	return names
}

func TestEveryPanelIsExplained(t *testing.T) {
	ids := map[int]bool{}
	for _, p := range New().Panels {
		if ids[p.ID] {
			t.Errorf("panel %q: the id %d is taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			continue
		}
		if p.Description == "" {
			t.Errorf("panel %q has no description", p.Title)
		}
		if p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("panel %q has no unit", p.Title)
		}
		if len(p.Targets) == 0 {
			t.Errorf("panel %q has no query", p.Title)
		}
		for _, target := range p.Targets {
			if strings.Contains(target.Expr, "rate(") && !strings.Contains(target.Expr, "[$__rate_interval]") {
				t.Errorf("panel %q: %s: a rate over something other than $__rate_interval", p.Title, target.Expr)
			}
		}
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	taken := map[[2]int]string{}
	for _, p := range New().Panels {
		g := p.GridPos
		if g.X+g.W > 24 || g.W == 0 || g.H == 0 {
			t.Errorf("panel %q does not fit: %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("panels %q and %q overlap at %d, %d", other, p.Title, x, y)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

func TestFillRefusesAVariableWithoutAValue(t *testing.T) {
	got, err := Fill(`a{job=~"$job"}[$__range] or b[${w}]`, map[string]string{"job": "x", "__range": "5m", "w": "1m"})
	if want := `a{job=~"x"}[5m] or b[1m]`; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if got, err := Fill("a[$__interval]", nil); err == nil {
		t.Errorf("got %q; want an error that names $__interval", got)
	}
}
