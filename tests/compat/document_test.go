package compat

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// path is the document that the suite writes with -update.
const path = "../../docs/compat.md"

const tableHead = "| situation | upstream | the copy |\n| --- | --- | --- |\n"

// document is docs/compat.md, and what was seen of it in this run.
type document struct {
	intro string
	rows  map[string]string

	mu   sync.Mutex
	seen map[string]string
}

var rowRE = regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)`: .*$")

func newDocument(t *testing.T) *document {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := &document{rows: map[string]string{}, seen: map[string]string{}}
	var ok bool
	if d.intro, _, ok = strings.Cut(string(text), tableHead); !ok {
		t.Fatalf("%s has no table: it has to begin with\n%s", path, tableHead)
	}
	for _, m := range rowRE.FindAllStringSubmatch(string(text), -1) {
		d.rows[m[1]] = m[0]
	}
	return d
}

// label is a situation's first cell.
func (s situation) label() string {
	what := s.what
	if s.tls {
		what += "; TLS"
	}
	if s.endsFirst {
		what += " (Fiber's children end half a second after their master, at times before Shutdown has returned)"
	}
	return fmt.Sprintf("| `%s`: %s |", s.name, what)
}

func (d *document) see(s situation, p pair) {
	cell := func(r result) string { return strings.ReplaceAll(r.String(), "; ", "<br>") }
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[s.name] = fmt.Sprintf("%s %s | %s |", s.label(), cell(p.theirs), cell(p.ours))
}

// check wants the document to have the rows of the table. Their figures vary with
// each run: -update writes them.
func (d *document) check(t *testing.T) {
	t.Helper()
	names := map[string]bool{}
	out := d.intro + tableHead
	for _, s := range situations() {
		if names[s.name] {
			t.Errorf("two situations are called %s", s.name)
		}
		names[s.name] = true
		row := d.rows[s.name]
		if seen, ok := d.seen[s.name]; ok {
			row = seen
		}
		if row != "" {
			out += row + "\n"
		}
		if !*update && !strings.HasPrefix(d.rows[s.name], s.label()) {
			t.Errorf("%s is not current; run go test -run TestNeverWorse -args -update in tests/compat:\nhave %q\nwant %q", path, d.rows[s.name], s.label())
		}
	}
	for name := range d.rows {
		if !names[name] && !*update {
			t.Errorf("%s has the situation %q, which there is not", path, name)
		}
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(path, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
