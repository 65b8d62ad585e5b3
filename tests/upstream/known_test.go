package upstream

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// knownFailure is a line of known_failures.txt.
type knownFailure struct {
	pkg, name string
	says      *regexp.Regexp
}

func readKnown(file string) ([]knownFailure, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var known []knownFailure
	for i, line := range strings.Split(string(data), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		f := strings.SplitN(line, " ", 3)
		if len(f) != 3 {
			return nil, fmt.Errorf("%s:%d: not a package, a test and an expression", file, i+1)
		}
		says, err := regexp.Compile(f[2])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		known = append(known, knownFailure{f[0], f[1], says})
	}
	return known, nil
}

// excused says why a failure does not count, and is empty if it does. A test
// that failed because of its subtests is excused when all of these are.
func (r *testRun) excused(t test, known []knownFailure) string {
	for _, k := range known {
		if k.name == t.name && strings.HasSuffix(t.pkg, "/"+k.pkg) {
			return k.says.FindString(r.output[t])
		}
	}
	subtests := 0
	for _, f := range r.failures() {
		if f.pkg == t.pkg && strings.HasPrefix(f.name, t.name+"/") {
			if r.excused(f, known) == "" {
				return ""
			}
			subtests++
		}
	}
	if subtests > 0 {
		return "because of its subtests"
	}
	return ""
}

func TestOnlyTheStatedFailureIsExcused(t *testing.T) {
	known := []knownFailure{{"proxy", "TestDial/a", regexp.MustCompile("no such host")}}
	pkg := "example.com/m/proxy"
	said := func(output string, more ...test) *testRun {
		r := &testRun{results: map[test]string{}, output: map[test]string{}}
		r.results[test{pkg, "TestDial"}] = "fail"
		r.results[test{pkg, "TestDial/a"}] = "fail"
		r.output[test{pkg, "TestDial/a"}] = output
		for _, f := range more {
			r.results[f] = "fail"
		}
		return r
	}
	for name, c := range map[string]struct {
		run  *testRun
		want []string // not excused
	}{
		"as listed":              {said("dial: no such host"), nil},
		"for another reason":     {said("got 3, want 4"), []string{"TestDial", "TestDial/a"}},
		"another subtest too":    {said("no such host", test{pkg, "TestDial/b"}), []string{"TestDial", "TestDial/b"}},
		"the name elsewhere too": {said("no such host", test{"example.com/m", "TestDial/a"}), []string{"TestDial/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range c.run.failures() {
				if c.run.excused(f, known) == "" {
					got = append(got, f.name)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("not excused are %q, want %q", got, c.want)
			}
		})
	}
}

func TestRaceOrPanicGetsNoSecondRun(t *testing.T) {
	f := test{"example.com/m", "TestServe"}
	for output, want := range map[string]bool{
		"got 120 ms, want at most 100": false,
		"WARNING: DATA RACE":           true,
		"panic: index out of range":    true,
	} {
		r := &testRun{results: map[test]string{f: "fail"}, output: map[test]string{f: output}}
		if got := r.conclusive(f); got != want {
			t.Errorf("%q: conclusive is %v, want %v", output, got, want)
		}
	}
}
