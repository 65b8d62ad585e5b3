package compat

import (
	"flag"
	"strings"
	"testing"
)

var tries = flag.Int("tries", 3, "what is worse, or disturbed by the machine, is tried so `often`")

// The copy is no worse than upstream in any situation. One try in which it was is
// not enough: what upstream happens to answer varies.
func TestNeverWorse(t *testing.T) {
	rows := newDocument(t)
	t.Run("situation", func(t *testing.T) {
		for _, s := range situations() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				rows.see(s, compare(t, s))
			})
		}
	})
	rows.check(t)
}

// pair is what a situation came to.
type pair struct{ theirs, ours result }

func compare(t *testing.T, s situation) (last pair) {
	t.Helper()
	var seen [][]string
	for try := range *tries {
		theirs, ours := s.run(t, upstream), s.run(t, patched)
		bad := s.worse(theirs, ours)
		slow := theirs.slow || ours.slow
		if len(bad) > 0 {
			t.Logf("try %d (disturbed: %v):\n%s\nthe copy's: %s", try+1, slow, strings.Join(bad, "\n"), strings.Join(ours.lost(), "\n"))
			if !slow || hard(bad) {
				seen = append(seen, bad)
			}
		}
		if last = (pair{theirs, ours}); !slow && len(bad) == 0 {
			break
		}
		if len(seen) == 2 {
			break
		}
	}
	t.Logf("upstream: %v; the copy: %v (%v)\n%s", last.theirs, last.ours, last.ours.took, strings.Join(last.ours.lost(), "\n"))
	if len(seen) == 2 || len(seen) > 0 && *tries == 1 {
		t.Errorf("worse than upstream:\n%s", strings.Join(seen[len(seen)-1], "\n"))
	}
	return last
}

// hard says whether one of the faults is none that a slow machine could make.
func hard(bad []string) bool {
	for _, b := range bad {
		for _, word := range []string{"panic", "account", "has not returned", "afterwards"} {
			if strings.Contains(b, word) {
				return true
			}
		}
	}
	return false
}
