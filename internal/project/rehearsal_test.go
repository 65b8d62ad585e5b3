package project

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/semver"
)

// TestRehearsalOfTheNextVersion makes up versions after the pinned one, each with
// one edit of our own, and lets check judge them.
func TestRehearsalOfTheNextVersion(t *testing.T) {
	s, pin := copyOfTheProject(t)
	s.pin(pin.Version)
	const loop = "server.go (*Server).serveConnCounted"
	for i, tt := range []struct {
		name string
		edit func(string) string
		// changed is the declaration that has changed, if check is to say so.
		changed string
		// again is what the one thing to be read again begins with, if any.
		again string
	}{
		{"a renamed local", func(text string) string {
			return within(t, text, "serveConnCounted", func(body string) string {
				return regexp.MustCompile(`\bproto\b`).ReplaceAllString(body, "negotiated")
			})
		}, "", ""},
		{"an inserted statement", func(text string) string {
			return within(t, text, "serveConnCounted", func(body string) string {
				return replaced(t, body, "connRequestNum++", "connRequestNum++\n_ = connRequestNum")
			})
		}, loop, ""},
		{"a changed branch", func(text string) string {
			return within(t, text, "serveConnCounted", func(body string) string {
				// The branch round the hook that takes a connection to active.
				at := strings.Index(body, "s.setState(c, StateActive)")
				if at < 0 {
					t.Fatal("the loop does not set StateActive")
				}
				at = strings.LastIndex(body[:at], "if err == nil {")
				return body[:at] + replaced(t, body[at:], "if err == nil {", "if err == nil && connRequestNum < 1000 {")
			})
		}, loop, loop + ": "},
		{"a changed watched function", func(text string) string {
			return within(t, text, "closeIdleConns", func(body string) string {
				return body + "\n_ = s.stop.Load()"
			})
		}, "server.go (*Server).closeIdleConns", "server.go (*Server).closeIdleConns"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := semver.MajorMinor(pin.Version) + ".100" + string(rune('0'+i))
			s.publish(next, pin.Version, tt.edit)
			r := s.check(next)
			if !r.Applies() || r.Compiles != CompilesYes {
				t.Fatalf("it does not apply: %v\n%s %s", r.Errors, r.Compiles, r.CompileNote)
			}
			var changed []string
			if tt.changed != "" {
				changed = []string{tt.changed}
			}
			if !slices.Equal(r.Changed, changed) {
				t.Errorf("changed is %q, want %q", r.Changed, changed)
			}
			if tt.again == "" && (!r.OK() || len(r.Again) > 0) {
				t.Errorf("to be read again is %q, want nothing", r.Again)
			}
			if tt.again == "" {
				return
			}
			if r.OK() || len(r.Again) == 0 || slices.ContainsFunc(r.Again, func(name string) bool { return !strings.HasPrefix(name, tt.again) }) {
				t.Errorf("OK is %v and to be read again is %q, want %q", r.OK(), r.Again, tt.again)
			}
			if len(r.Diffs) == 0 || len(r.Diffs[0].Again) == 0 || !strings.Contains(r.Diffs[0].Text, "\n+") {
				t.Errorf("the first diff is none of what is to be read again: %+v", r.Diffs)
			}
			if err := s.MarkRead(r); err != nil {
				t.Fatal(err)
			}
			if r := s.check(next); !r.OK() {
				t.Errorf("after it has been read, there is still %q", r.Again)
			}
		})
	}
}

// TestStepsOfRealVersions goes from the pin of one real version to the next.
func TestStepsOfRealVersions(t *testing.T) {
	s, _ := copyOfTheProject(t)
	s.pin("v1.76.0")
	r := s.check("v1.77.0")
	if !r.Applies() || r.OK() || !slices.Contains(r.Again, "server.go hijackConnHandler") {
		t.Errorf("v1.76.0 to v1.77.0: applies is %v (%v), to be read again is %q, want server.go hijackConnHandler in it", r.Applies(), r.Errors, r.Again)
	}

	// The pin moves, and remembers until somebody has read it.
	pin := s.pin("v1.77.0")
	if !mapsKeysAre(pin.Unread, r.Again) {
		t.Errorf("after the pin moved, unread is %v, want %q", pin.Unread, r.Again)
	}
	again := s.check("")
	if again.OK() || !slices.Equal(again.Again, r.Again) || len(again.Diffs) == 0 || again.Diffs[0].From != "v1.76.0" {
		t.Errorf("check of the pin: OK is %v, to be read again is %q, want %q with diffs from v1.76.0: %+v", again.OK(), again.Again, r.Again, again.Diffs)
	}
	if r := s.check("v1.76.0"); !r.OK() {
		t.Errorf("v1.76.0 had been read when it was pinned, but there is %q", r.Again)
	}
	if err := s.MarkRead(again); err != nil {
		t.Fatal(err)
	}
	if r := s.check(""); !r.OK() {
		t.Errorf("after it has been read, there is still %q (%q)", r.Again, r.PinStale)
	}

	r = s.check("v1.78.0")
	if r.OK() || !slices.Contains(r.Again, "server.go (*Server).closeIdleConns") || !slices.Contains(r.Changed, "server.go (*Server).serveConnCounted") {
		t.Errorf("v1.77.0 to v1.78.0: OK is %v, changed is %q, to be read again is %q; want serveConnCounted and closeIdleConns", r.OK(), r.Changed, r.Again)
	}
	if !slices.ContainsFunc(r.NewTests, func(name string) bool {
		return strings.HasPrefix(name, "server_test.go: TestServerShutdownDoesNotHandleRequestOnConnectionItClosed ")
	}) {
		t.Errorf("the new tests are %q", r.NewTests)
	}
}

// TestTwoBlocksThatAVersionBroke wants to see of two blocks that fitted v1.77.0
// what became of their places, and blocks that fit v1.78.0.
func TestTwoBlocksThatAVersionBroke(t *testing.T) {
	patches, err := os.ReadFile("testdata/two-blocks.md")
	if err != nil {
		t.Fatal(err)
	}
	s := newScratch(t, patches, nil)
	s.pin("v1.77.0")
	r := s.check("v1.78.0")
	if len(r.Failed) != 2 || len(r.Help) != 2 || r.OK() || r.Applies() {
		t.Fatalf("failed are %v, with help for %d; OK is %v", r.Failed, len(r.Help), r.OK())
	}
	if !slices.Contains(r.Changed, "server.go (*Server).serveConnCounted") {
		t.Errorf("changed is %q, and the declaration of the blocks is not in it", r.Changed)
	}
	text := string(patches)
	for i, want := range []struct{ patch, diff, block, old string }{
		{"going-active", "\n-\t\t\tidleConnTime.Store(0)\n+\t\t\tif idleConnTime.Swap(0) == ", "\n-if idleConnTime.Swap(0) == ", "-idleConnTime.Store(0)\n+if idleConnTime.Swap(0) < 0 { break }\n"},
		{"loop-end", "\n+\t\t\tif bw != nil && bw.Buffered() > 0 {\n", "\n-if s.stop.Load() == 1 {\n-err = nil\n-if bw", "-if s.stop.Load() == 1 {\n-err = nil\n-break\n-}\n"},
	} {
		h := r.Help[i]
		if h.Hunk.Patch != want.patch || !strings.Contains(h.Diff, want.diff) || !strings.Contains(h.Block, want.block) || h.Matches != 1 {
			t.Errorf("the help is for %s, with %d matches:\n%s\n%s", h.Hunk.Patch, h.Matches, h.Diff, h.Block)
		}
		if h.Old == "" || h.New == "" || h.Old == h.New || !strings.HasPrefix(h.New, "server.go:") {
			t.Errorf("%s: the place was %q and is %q", want.patch, h.Old, h.New)
		}
		_, lines, _ := strings.Cut(h.Block, "\n") // without the header
		text = replaced(t, text, want.old, lines)
	}
	// The blocks do fit, and a moved pin has nothing of the old ones.
	if err := os.WriteFile(s.Root+"/"+PatchesName, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := s.check("v1.78.0"); len(r.Failed) > 0 {
		t.Errorf("the suggested blocks do not apply: %v", r.Errors)
	}
}

// TestWatchedIsWhatTypesFind compares the Watch lines with the code.
func TestWatchedIsWhatTypesFind(t *testing.T) {
	p := this(t)
	set, err := p.Patches()
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Copy(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.FindWatched(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, w := range set.Watched {
		have = append(have, w.Key())
	}
	slices.Sort(have)
	if !slices.Equal(have, want) {
		t.Errorf("PATCHES.md watches\n%s\nbut our code relies on\n%s\nRun: bin/fastdrain pin", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	// That the search finds anything: what our code is sure to use.
	for _, name := range []string{"server.go (*Server).setState", "server.go (*Server).closeIdleConns", "workerpool.go (*workerPool).Serve"} {
		if !slices.Contains(want, name) && c.Result.Declarations[name] == "" {
			t.Errorf("%s was not found", name)
		}
	}
}

func mapsKeysAre(m map[string]string, keys []string) bool {
	for _, key := range keys {
		if m[key] == "" {
			return false
		}
	}
	return len(m) == len(keys)
}

// within edits the body of a method of Server.
func within(t *testing.T, text, method string, edit func(body string) string) string {
	t.Helper()
	from := strings.Index(text, "\nfunc (s *Server) "+method+"(")
	if from < 0 {
		t.Fatalf("there is no %s", method)
	}
	from += strings.Index(text[from:], "{\n") + 1
	to := from + strings.Index(text[from:], "\n}\n")
	return text[:from] + edit(text[from:to]) + text[to:]
}

// replaced is a text in which another is replaced that has to occur once.
func replaced(t *testing.T, text, old, by string) string {
	t.Helper()
	if strings.Count(text, old) == 0 {
		t.Fatalf("%q does not occur", old)
	}
	return strings.Replace(text, old, by, 1)
}
