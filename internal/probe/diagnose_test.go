package probe

import (
	"os"
	"strings"
	"testing"
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
