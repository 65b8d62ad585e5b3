//go:build unix

package process

import (
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// bound is for what hangs.
const bound = 30 * time.Second

func shell(t *testing.T, script string) (*Running, *Lines) {
	t.Helper()
	lines := NewLines()
	cmd := exec.Command("sh", "-c", script)
	cmd.Stdout = lines
	r, err := Run(cmd, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-r.PID(), syscall.SIGKILL) })
	return r, lines
}

// The child holds the output open: only its end lets the wait for it end.
func TestKillTakesTheGroup(t *testing.T) {
	r, lines := shell(t, "sleep 3600 & echo started; wait")
	if line, said := lines.Await(r, bound, nil); line != "started" || !said {
		t.Fatalf("it said %q, %v", line, said)
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		r.Kill()
	}()
	select {
	case <-killed:
	case <-time.After(bound):
		t.Fatal("something of the group has outlived Kill")
	}
	if r.Exit() != ExitKilled {
		t.Errorf("it ended with %s", r.Exit())
	}
}

func TestStopNamesHowItEnded(t *testing.T) {
	for script, want := range map[string]string{
		"trap 'exit 3' TERM; echo started; while :; do sleep 0.01; done": "3",
		"trap 'exit 0' TERM; echo started; while :; do sleep 0.01; done": ExitClean,
		"echo started; exec sleep 3600":                                  "signal: terminated",
	} {
		r, lines := shell(t, script)
		if _, said := lines.Await(r, bound, nil); !said {
			t.Fatalf("%s: it has said nothing", script)
		}
		if _, err := r.Stop(bound); err != nil || r.Exit() != want {
			t.Errorf("%s: it ended with %s (%v), want %s", script, r.Exit(), err, want)
		}
	}
}

func TestLinesAreAwaited(t *testing.T) {
	r, lines := shell(t, "echo one; echo two; echo three; echo four")
	for _, want := range []string{"two", "three"} {
		is := func(line string) bool { return want == "three" || line == want }
		if line, said := lines.Await(r, bound, is); line != want || !said {
			t.Errorf("it said %q, %v, want %q", line, said, want)
		}
	}
	// Also those that it said before its end.
	<-r.Exited()
	if line, said := lines.Await(r, bound, nil); line != "four" || !said {
		t.Errorf("it said %q, %v, want four", line, said)
	}
	if line, said := lines.Await(r, bound, nil); said {
		t.Errorf("it said %q after its last line", line)
	}
	if lines.Last() != "four" {
		t.Errorf("its last line is %q", lines.Last())
	}
}
