package probe

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
)

// TestEachDiagnosisHasItsHeading looks for the headings that the links lead to.
func TestEachDiagnosisHasItsHeading(t *testing.T) {
	text, err := os.ReadFile("../../docs/probe.md")
	if err != nil {
		t.Fatal(err)
	}
	headings := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if title, ok := strings.CutPrefix(line, "### "); ok {
			id := strings.Map(func(r rune) rune {
				if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' {
					return unicode.ToLower(r)
				}
				if r == ' ' {
					return '-'
				}
				return -1
			}, strings.TrimSpace(title))
			headings[id] = true
		}
	}
	for _, id := range []string{
		Ignored, Lingering, Overdue, Unhandled, ShellOnly, AtOnce, UnderWay, Kept, First, CutShort, InPipeline, Unanswered,
		NotHTTP, Earlier, Gateway, ServerError, WrongAnswer, OutOfTurn, ExitCode, NobodyThere, AllAnswered,
	} {
		if !headings[id] {
			t.Errorf("docs/probe.md has no heading for %q", id)
		}
		delete(headings, id)
	}
	for id := range headings {
		t.Errorf("docs/probe.md has the heading %q, and there is no such diagnosis", id)
	}
}

// diagnosed returns the text of a diagnosis, or nothing.
func diagnosed(r *Result, id string) string {
	for _, d := range diagnose(r) {
		if d.ID == id {
			return d.Text
		}
	}
	return ""
}

// TestACrowdIsCounted has more go wrong than is kept one by one, and then something
// else: the diagnoses have to have all.
func TestACrowdIsCounted(t *testing.T) {
	rec := newRecorder()
	rec.setMark()
	const crowdSize = 3 * occurrencesAtMost
	for range crowdSize {
		rec.answered(Busy, &connection{used: 1}, time.Now(), reply{status: 503, matches: true})
	}
	rec.lost(Busy, 1, time.Now(), Reset, "", 7)
	r := newResult(Subject{URL: "http://h"}, &Options{})
	r.add(rec, nil)
	if text := diagnosed(r, ServerError); !strings.HasPrefix(text, "15000 requests") {
		t.Errorf("of %d answers with 503 it says %q", crowdSize, text)
	}
	if text := diagnosed(r, Kept); !strings.HasPrefix(text, "7 requests") || r.LostKept != 7 {
		t.Errorf("of 7 that were lost it says %q, and has counted %d", text, r.LostKept)
	}
	if text, err := json.Marshal(newResult(Subject{}, &Options{})); err != nil || !strings.Contains(string(text), `"events":[]`) {
		t.Errorf("without events the JSON is %s, %v", text, err)
	}
	if len(r.Events) > crowdSize/2 {
		t.Errorf("%d events are kept", len(r.Events))
	}
}

// TestNoDiagnosisIsTooSure has counts that look like what they are not.
func TestNoDiagnosisIsTooSure(t *testing.T) {
	killed := func(newcomer, veteran float64, closings int) *Result {
		return &Result{
			Mode: ModeSignal, Signal: "SIGTERM", Grace: 30, Stops: 1, Exits: map[string]int{"killed": 1},
			Newcomer: newcomer, Veteran: veteran, Closings: closings, took: []float64{30000},
		}
	}
	for _, c := range []struct {
		name, id, has, hasNot string
		result                *Result
	}{
		{"it closes its listener after 20 s, on purpose", Overdue, "", "", killed(20000, 20000, 0)},
		{"it does not close it", Ignored, "29 s later", "", killed(29000, 29000, 0)},
		{"it told some to leave", Lingering, "not all of their clients", "were not told", killed(100, 29000, 9)},
		{"it told nobody", Lingering, "were not told", "", killed(100, 29000, 0)},
		{"there was no answer to a connection", NobodyThere, "not refused (i/o timeout)", "the listener closes",
			&Result{Mode: ModeCommand, Stops: 1, Counts: Counts{Refused: 9, Unreached: 8}, RefusedFor: 900, unreached: "i/o timeout"}},
		{"it was refused", NobodyThere, "the listener closes", "",
			&Result{Mode: ModeCommand, Stops: 1, Counts: Counts{Refused: 9, Unreached: 1}, RefusedFor: 900}},
		{"some had no answer at the end", AllAnswered, "3 had no answer yet", "",
			&Result{Mode: ModeTime, Stops: 1, Counts: Counts{Requests: 9, Unfinished: 3}}},
		{"a handler was there, and most was lost", Unhandled, "most likely", "",
			&Result{Mode: ModeSignal, Signal: "SIGTERM", Stops: 1, byTerm: 1, took: []float64{1}}},
		{"no handler was there", Unhandled, "nothing handles SIGTERM", "most likely",
			&Result{Mode: ModeSignal, Signal: "SIGTERM", Stops: 1, byTerm: 1, unhandled: 1, took: []float64{1}}},
		{"it crashed", ExitCode, "It was ended by SIGSEGV", "",
			&Result{Mode: ModeSignal, Signal: "SIGTERM", Stops: 1, Exits: map[string]int{"ended by SIGSEGV": 1}, took: []float64{1}}},
	} {
		text := diagnosed(c.result, c.id)
		if text == "" || !strings.Contains(text, c.has) || c.hasNot != "" && strings.Contains(text, c.hasNot) {
			t.Errorf("%s: of %q it says %q", c.name, c.id, text)
		}
	}
	rec := newRecorder()
	rec.setMark()
	rec.lost(Busy, 1, rec.begin, Broken, "", 20)
	r := newResult(Subject{Command: []string{"s"}}, &Options{Signal: syscall.SIGTERM})
	r.add(rec, nil)
	if text := diagnosed(r, AtOnce); text != "" || r.UnderWayLost != 20 {
		t.Errorf("of what is no HTTP it says %q, and %d were under way and lost", text, r.UnderWayLost)
	}
	unstoppable := &Result{Mode: ModeSignal, Signal: "SIGKILL", Stops: 1, byTerm: 1, unhandled: 1, Exits: map[string]int{"ended by SIGKILL": 1}, took: []float64{1}}
	if text := diagnosed(unstoppable, Unhandled) + diagnosed(unstoppable, ExitCode); text != "" {
		t.Errorf("of SIGKILL it says %q", text)
	}
	interrupted := &Result{Mode: ModeSignal, Signal: "SIGTERM", Stops: 1}
	if text := diagnosed(interrupted, AllAnswered); text != "" {
		t.Errorf("of an interrupted stop it says %q", text)
	}
}

// TestRefusalsAreTold tells those that were refused from those that got no answer.
func TestRefusalsAreTold(t *testing.T) {
	rec := newRecorder()
	rec.refused(New, time.Now(), syscall.ECONNREFUSED)
	rec.refused(New, time.Now(), os.ErrDeadlineExceeded)
	if c := rec.sum(); c.Refused != 2 || c.Unreached != 1 {
		t.Errorf("%d refused, and %d of them not reached", c.Refused, c.Unreached)
	}
}

// TestAHandlerIsSeen looks for that of SIGTERM in a program without one, and in its own
// process, which has that of Go's runtime.
func TestAHandlerIsSeen(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	none, known := handles(cmd.Process.Pid, syscall.SIGTERM)
	if !known {
		t.Skip("it cannot be looked up on this system")
	}
	own, _ := handles(os.Getpid(), syscall.SIGTERM)
	if none || !own {
		t.Errorf("a handler without one: %v, and with one: %v", none, own)
	}
}

// TestALineOfShell runs lines that begin with no program.
func TestALineOfShell(t *testing.T) {
	for _, line := range []string{"true", "A=1 true", "A=1; true", "  true", ": nothing", "if true; then true; fi", "! false"} {
		args := Shell(line)
		if err := exec.Command(args[0], args[1:]...).Run(); err != nil {
			t.Errorf("%q as %q: %v", line, args, err)
		}
	}
	if args := Shell("sleep 1"); !slices.Contains(args, "exec sleep 1") {
		t.Errorf("a shell would stay before a single program: %q", args)
	}
}

// firstWrite hands on what is written with some text in it.
type firstWrite struct {
	text string
	got  chan string
}

func (f firstWrite) Write(b []byte) (int, error) {
	if strings.Contains(string(b), f.text) {
		select {
		case f.got <- string(b):
		default:
		}
	}
	return len(b), nil
}

// TestATerminalOf80Columns has long names and great numbers.
func TestATerminalOf80Columns(t *testing.T) {
	long := strings.Repeat("a long name ", 10)
	r := &Result{
		Name: long, Mode: ModeSignal, Signal: "SIGTERM", Stops: 100,
		Counts: Counts{Requests: 1e9, Answered: 1e9, Refused: 1e6, Unreached: 1e5, Ways: map[string]int{Behind: 1e5, Timeout: 1e5}},
		took:   []float64{100}, Exits: map[string]int{"exit code 0": 1e5, "killed": 1e5}, RefusedFor: 1e5,
		Took: Spread{1e5, 1e5, 1e5},
	}
	var line timeline
	line.add(make(series, 300), series{{1e6, 1e6, 1e6, 1e6}, 299: {}}, 3*time.Second)
	r.Timeline = line.slices(slicesAtMost)
	var b strings.Builder
	for _, results := range [][]*Result{{r}, {r, r}} {
		writeSummary(&b, results, true)
	}
	writeTimeline(&b, r, true)
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > terminalWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}

	got := firstWrite{"of load", make(chan string, 1)}
	p := newProgress(got, true)
	p.where = long
	p.watch(&load{recorder: newRecorder(), over: context.Background()})
	defer p.unwatch()
	if text := <-got.got; len([]rune(text)) >= terminalWidth {
		t.Errorf("%d columns: %s", len([]rune(text)), text)
	}
}
