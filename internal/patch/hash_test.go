package patch

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const hashed = `package p

func (s *Server) Loop(raw Conn) error {
	br, failure := s.reader(raw)
	before()
serving:
	for {
		if failure == nil {
			switch s.state {
			case idle:
				b, failure := br.Peek(1)
				use(b, failure)
			}
		} else if s.stop.Load() == 1 {
			failure = nil
			break serving
		}
		go func() {
			hijack(br)
		}()
	}
	return failure
}

type Server struct {
	stop, state int
}

func watched(a int) int { return a }
`

// hashesOf applies hunks of each kind to a text.
func hashesOf(t *testing.T, text string) *Result {
	t.Helper()
	set, err := Parse("PATCHES.md", []byte(section("one", strings.Join([]string{
		"@@ s.go (*Server).Loop start @@\n+first()",
		"@@ s.go (*Server).Loop before loop @@\n+x()",
		"@@ s.go (*Server).Loop @@\n-br.Peek(...)\n+peek(br)",
		"@@ s.go (*Server).Loop if{s.stop.Load()} @@\n-s.stop.Load() == 1\n+draining()",
		"@@ s.go (*Server).Loop @@\n-hijack(br)",
		"@@ s.go Server end @@\n+drain Drain",
	}, "\n"))+"## On what it relies\n\nWatch: s.go watched, gone\n"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := set.Apply(fstest.MapFS{"s.go": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestWhatAChangeOfTheSourceChanges makes one change at a time and wants to see
// exactly the hashes change that depend on it.
func TestWhatAChangeOfTheSourceChanges(t *testing.T) {
	const loop = "s.go (*Server).Loop"
	was := hashesOf(t, hashed)
	if have, want := slices.Sorted(maps.Keys(was.Statements)), []string{
		loop + ": before loop", loop + ": br.Peek(...)", loop + ": hijack(br)", loop + ": if{s.stop.Load()} s.stop.Load() == 1", loop + ": start",
	}; !slices.Equal(have, want) {
		t.Fatalf("there are hashes of %q, want %q", have, want)
	}
	if have := slices.Collect(maps.Keys(was.Watched)); !slices.Equal(have, []string{"s.go watched"}) {
		t.Fatalf("watched are %q", have)
	}
	for _, tt := range []struct {
		name, old, by string
		// loop says whether the hash of Loop changes, want which of its
		// statements' do.
		loop bool
		want []string
	}{
		{"a comment", "before()", "before() // comment", false, nil},
		{"a renamed local", "failure", "failed", false, nil},
		{"a renamed parameter", "raw", "conn", false, nil},
		{"an inserted statement", "before()", "before()\nmore()", true, nil},
		{"another statement beside", "use(b, failure)", "use(failure)", true, nil},
		{"the statement", "b, failure := br", "b, ok := br", true, []string{": br.Peek(...)"}},
		{"an enclosing case", "case idle:", "case idle, 1:", true, []string{": br.Peek(...)"}},
		{"an enclosing branch", "if failure == nil", "if failure == nil && x", true, []string{": br.Peek(...)", ": if{s.stop.Load()} s.stop.Load() == 1"}},
		{"the enclosing loop", "for {", "for x {", true, []string{": before loop", ": br.Peek(...)", ": hijack(br)", ": if{s.stop.Load()} s.stop.Load() == 1"}},
		{"the block of a condition that goes", "failure = nil\n", "failure = nil\nflush()\n", true, []string{": if{s.stop.Load()} s.stop.Load() == 1"}},
		{"an enclosing go statement", "}()", "}(1)", true, []string{": hijack(br)"}},
		{"the signature", "raw Conn", "raw Conn2", true, []string{": start"}},
		{"an enclosing label", "serving", "loop", false, nil},
		{"another field", "state int", "state int\nmore int", false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.ReplaceAll(hashed, tt.old, tt.by)
			if text == hashed {
				t.Fatal("nothing is changed")
			}
			is := hashesOf(t, text)
			if changed := is.Declarations[loop] != was.Declarations[loop]; changed != tt.loop {
				t.Errorf("the declaration's hash has changed: %v, want %v", changed, tt.loop)
			}
			if !tt.loop {
				return // then the statements' do not count
			}
			var changed []string
			for name, h := range is.Statements {
				if h != was.Statements[name] {
					changed = append(changed, strings.TrimPrefix(name, loop))
				}
			}
			if slices.Sort(changed); !slices.Equal(changed, tt.want) {
				t.Errorf("changed are %q, want %q", changed, tt.want)
			}
		})
	}
}
