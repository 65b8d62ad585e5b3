package acceptqueue

import (
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/tests/internal/stall"
)

// mostAnew is how many stops of a test are made anew.
const mostAnew = 10

// anew makes stops again that went wrong while the machine stalled a process of theirs.
// A server has a second for its queue, half of one to look who else has the socket, and
// less for others of its group; a client has one until TCP tries again. What they do when
// they were not let run for so long is no evidence.
type anew struct {
	left int
}

// stop makes a stop until it goes well, or goes wrong and no process was stalled; then
// it fails the test with what was wrong. do returns the worst stall of the servers.
func (a *anew) stop(t *testing.T, do func() (wrong string, stalled time.Duration)) {
	t.Helper()
	for {
		watch := stall.Begin() // the link is in this process
		wrong, stalled := do()
		stalled = max(stalled, watch.End())
		switch {
		case wrong == "":
			return
		case stalled < stall.Most || a.left == 0:
			t.Fatalf("%s; timers were %v late at most", wrong, stalled)
		}
		a.left--
		t.Logf("made anew, as timers were %v late: %s", stalled, wrong)
	}
}
