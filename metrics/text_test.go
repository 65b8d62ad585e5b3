package metrics_test

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/fastdrain/fastdrain/metrics"
)

// writeText writes what a scrape sends.
func writeText(tb testing.TB, w io.Writer, g prometheus.Gatherer) {
	tb.Helper()
	families, err := g.Gather()
	if err != nil {
		tb.Fatalf("gathering: %v", err)
	}
	enc := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			tb.Fatalf("encoding %s: %v", f.GetName(), err)
		}
	}
}

// Dashboards and alerts read these names, labels and types: what differs here breaks
// them, so -update is for what the changelog says.
func TestTextOfAScrape(t *testing.T) {
	const golden = "testdata/scrape.txt"
	var text bytes.Buffer
	writeText(t, &text, pedantic(t, metrics.NewCollector(metrics.Servers{"a": {}, "b": {}})))
	if *update {
		if err := os.WriteFile(golden, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text.Bytes(), want) {
		t.Errorf("a scrape is not as in %s (go test -update writes it):\n%s", golden, &text)
	}
}
