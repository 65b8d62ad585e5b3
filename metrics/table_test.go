package metrics_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/metrics"
)

var update = flag.Bool("update", false, "write the table of instruments into README.md, the text of a scrape into testdata")

const (
	tableBegin = "<!-- The table is made of instruments.go: go generate -C metrics -->\n\n"
	tableEnd   = "\n<!-- End of the table -->"
)

func TestReadmeHasTheTableOfInstruments(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), tableBegin)
	table, _, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatalf("README.md has no table between %q and %q", tableBegin, tableEnd)
	}
	if *update {
		text := strings.Replace(string(readme), tableBegin+table+tableEnd, tableBegin+metrics.Table()+tableEnd, 1)
		if err := os.WriteFile("README.md.tmp", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename("README.md.tmp", "README.md"); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != metrics.Table() {
		t.Errorf("the table of README.md is not that of instruments.go (run go generate -C metrics). It is\n%s\nand should be\n%s", table, metrics.Table())
	}
}

func TestInstrumentsAreNamedAsTheirUnits(t *testing.T) {
	names := map[string]bool{}
	for _, in := range metrics.Instruments() {
		for _, name := range []string{in.Prometheus, in.OTel} {
			if name != "" && names[name] {
				t.Errorf("%s is there twice", name)
			}
			names[name] = true
		}
		if counter := strings.HasSuffix(in.Prometheus, "_total"); counter != (in.Kind == metrics.Counter) {
			t.Errorf("%s is a %v", in.Prometheus, in.Kind)
		}
		if inSeconds := strings.HasSuffix(in.Prometheus, "_seconds"); inSeconds != (in.Unit == "s") {
			t.Errorf("%s is in %s", in.Prometheus, in.Unit)
		}
		if (in.Label == "") != (in.Attribute == "") && in.OTel != "" && in.Prometheus != "" {
			t.Errorf("%s has the label %q and the attribute %q", in.Prometheus, in.Label, in.Attribute)
		}
		if in.Help == "" || !strings.HasSuffix(in.Help, ".") {
			t.Errorf("the description of %s is %q", in.Prometheus, in.Help)
		}
	}
}
