package streams

import (
	"fmt"
	"testing"
	"time"
)

const (
	// stall is how late a timer of this process may be where what clients and servers
	// did in time can be judged: they have two seconds for an answer, and one for the
	// end of a stream.
	stall = 300 * time.Millisecond

	// tries is how often that is waited for.
	tries = 3

	// shown limits the problems that are named.
	shown = 10
)

// steadily runs a try, which says what was wrong, and fails if something was. A try
// in which the machine was too busy to run a timer is repeated.
func steadily(t *testing.T, try func(t *testing.T) (problems []string)) {
	t.Helper()
	for n := 1; ; n++ {
		var problems []string
		var late time.Duration
		t.Run(fmt.Sprintf("try %d", n), func(t *testing.T) {
			lateness := watchTimers()
			problems = try(t)
			late = lateness()
		})
		switch {
		case t.Failed() || len(problems) == 0:
			return
		case n < tries && late > stall:
			t.Logf("%d problems, but a timer was %v late: once more. The first: %s", len(problems), late, problems[0])
			continue
		}
		for _, p := range problems[:min(len(problems), shown)] {
			t.Error(p)
		}
		t.Errorf("%d problems; timers were up to %v late", len(problems), late)
		return
	}
}

// watchTimers returns a function that says how late timers have been since.
func watchTimers() (lateness func() time.Duration) {
	end, worst := make(chan struct{}), make(chan time.Duration)
	go func() {
		const every = 5 * time.Millisecond
		var late time.Duration
		for {
			began := time.Now()
			select {
			case <-time.After(every):
				late = max(late, time.Since(began)-every)
			case <-end:
				worst <- late
				return
			}
		}
	}()
	return func() time.Duration {
		close(end)
		return <-worst
	}
}
