package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/faults.md")

// bound is how long a probe may take; none needs a quarter of it.
const bound = 90 * time.Second

// document is where the table is, below its introduction.
const document = "../../docs/faults.md"

// fault is one that the probe lists.
type fault struct {
	Name, What, Want string
	More             []string
}

// outcome is what a probe says at its end.
type outcome struct {
	Seen     string
	Problems []string
}

// TestFaults makes each fault happen to the patched server and to upstream's.
func TestFaults(t *testing.T) {
	patched, upstream := buildProbes(t)
	out, err := exec.Command(patched, "-list").Output()
	if err != nil {
		t.Fatal(err)
	}
	var faults []fault
	if err := json.Unmarshal(out, &faults); err != nil {
		t.Fatal(err)
	}
	written := readTable(t)
	tests := ourTests(t)
	var mu sync.Mutex
	seen := map[string]string{} // upstream's, by the fault's name
	t.Run("server", func(t *testing.T) {
		for _, f := range faults {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				for _, test := range f.More {
					if !tests[test] {
						t.Errorf("%s is said to look deeper, and is no test in server/", test)
					}
				}
				ours := run(t, patched, f.Name)
				if ours.Seen != f.Want {
					t.Errorf("the patched server:\nhave %s\nwant %s", ours.Seen, f.Want)
				}
				for _, p := range ours.Problems {
					t.Errorf("the patched server: %s", p)
				}
				// What upstream does is partly chance, on a loaded machine: it may be
				// as written in any of a few tries.
				theirs := runWhole(t, upstream, f.Name)
				for try := 1; try < upstreamTries && !*update && written[f.Name] != f.row(theirs.Seen); try++ {
					theirs = runWhole(t, upstream, f.Name)
				}
				mu.Lock()
				seen[f.Name] = theirs.Seen
				mu.Unlock()
				if row := f.row(theirs.Seen); !*update && written[f.Name] != row {
					t.Errorf("docs/faults.md is not what was seen; run go test -C tests ./faults -update, and look at the difference:\nhave %s\nwant %s", written[f.Name], row)
				}
			})
		}
	})
	if *update && !t.Failed() {
		writeTable(t, faults, seen)
	}
	for name := range written {
		known := false
		for _, f := range faults {
			known = known || f.Name == name
		}
		if !known && !*update {
			t.Errorf("docs/faults.md has the fault %q, which there is not", name)
		}
	}
}

const upstreamTries = 3

func runWhole(t *testing.T, path, name string) outcome {
	t.Helper()
	theirs := run(t, path, name)
	if len(theirs.Problems) > 0 {
		theirs.Seen += "; " + summary(theirs.Problems)
	}
	return theirs
}

// run runs a probe. That it ends at all is part of the test.
func run(t *testing.T, path, name string) (o outcome) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, name)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(path), name, err, stderr.Bytes())
	}
	if err := json.Unmarshal(out, &o); err != nil {
		t.Fatalf("%s %s said %q: %v", filepath.Base(path), name, out, err)
	}
	if strings.Contains(stderr.String(), "DATA RACE") {
		t.Errorf("%s %s: %s", filepath.Base(path), name, stderr.Bytes())
	}
	return o
}

// summary is what of upstream's problems belongs into a table.
func summary(problems []string) string {
	var short []string
	for _, p := range problems {
		head, _, _ := strings.Cut(p, ":")
		short = append(short, head)
	}
	return strings.Join(short, "; ")
}

// row is a fault's line of the table.
func (f fault) row(upstream string) string {
	cells := func(text string) string { return strings.ReplaceAll(text, "; ", "<br>") }
	more := "–"
	if len(f.More) > 0 {
		more = strings.Join(f.More, "<br>")
	}
	return fmt.Sprintf("| `%s`: %s | %s | %s | %s |", f.Name, f.What, cells(upstream), cells(f.Want), more)
}

var rowRE = regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)`: .*$")

// readTable reads the rows of the document by the faults' names.
func readTable(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range rowRE.FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[0]
	}
	return rows
}

// writeTable writes the document anew from its table on.
func writeTable(t *testing.T, faults []fault, upstream map[string]string) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	const head = "| fault | upstream | patched | looks deeper |\n| --- | --- | --- | --- |\n"
	intro, _, ok := strings.Cut(string(text), head)
	if !ok {
		t.Fatalf("%s has no table: it has to begin with\n%s", document, head)
	}
	old := readTable(t)
	out := intro + head
	for _, f := range faults {
		row := old[f.Name]
		if seen, ok := upstream[f.Name]; ok {
			row = f.row(seen)
		}
		if row != "" {
			out += row + "\n"
		}
	}
	if err := os.WriteFile(document+".new", []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(document+".new", document); err != nil {
		t.Fatal(err)
	}
}

// ourTests are the names of the tests in server/.
func ourTests(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../../server/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in server/: %v", err)
	}
	names := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
	}
	return names
}
