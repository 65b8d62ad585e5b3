//go:build linux

package probe

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/probe"
)

// kept are clients that open no connection while the server stops, so that the
// server's own count is exact: nothing is in its accept queue.
var kept = probe.Profile{Kinds: []probe.Kind{probe.Busy, probe.Pool}, Connections: 40, Rate: 500}

// shortGrace is for servers that have to be killed. What is served in its last quarter
// has not noticed the stop: by then each client has used its connection, which may take
// more than a second, and in a quarter many connect.
const shortGrace = 5 * time.Second

// killed probes a server that has to be killed, once more if the machine has stood still:
// then the clients have not done in time what the diagnosis needs.
func killed(t *testing.T, mode string, p probe.Profile, inTime func(r *probe.Result, lastQuarter float64) bool) *probe.Result {
	t.Helper()
	for try := 1; ; try++ {
		s, _ := fakeServer(t, mode)
		o := options()
		o.Grace, o.Profile = shortGrace, p
		r := mustRun(t, s, o)
		if inTime(r, r.Grace*1e3*3/4) || try == 3 {
			return r
		}
	}
}

// TestCountsAreThoseOfTheServer holds each fault's count against that of the server,
// which has counted how often it did it.
func TestCountsAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode  string
		seen  func(*probe.Result) int
		says  []string
		which string
	}{
		{mode: cuts, seen: way(probe.Cut), says: []string{probe.CutShort}},
		{mode: cutsHead, seen: way(probe.Cut), says: []string{probe.CutShort}},
		{mode: cutsEnd, seen: way(probe.Cut), says: []string{probe.CutShort}},
		{mode: babbles, seen: way(probe.Broken), says: []string{probe.NotHTTP}},
		{mode: resets, seen: way(probe.Reset), says: []string{probe.Kept}},
		{mode: closes, seen: way(probe.Closed), says: []string{probe.Kept}},
		{mode: fails, seen: func(r *probe.Result) int { return r.Failed }, says: []string{probe.ServerError}},
		{mode: other, seen: func(r *probe.Result) int { return r.Wrong }, says: []string{probe.WrongAnswer}},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			s, accounts := fakeServer(t, c.mode)
			o := options()
			o.Profile = kept
			if *full {
				o.Rounds = 5
			}
			if c.mode == other {
				o.Expect = "hello"
			}
			r := mustRun(t, s, o)
			known := sum(t, accounts)
			if known.Harmed == 0 {
				t.Fatal("the server did nothing to its clients: there was nothing to see")
			}
			// Where the next process is slow, its stop may hit what nobody waits for any more.
			if n := int64(c.seen(r)); n > known.Harmed || n+int64(r.Unfinished) < known.Harmed {
				t.Errorf("%d seen, and %d done by the server; %d unfinished", n, known.Harmed, r.Unfinished)
			}
			// A request that was lost in the accept queue it has not executed.
			fits(t, r, int(known.Executed))
			// On a busy machine a client may connect as late as that,
			// and the signal may find nearly all of them with a request under way.
			wantDiagnoses(t, r, c.says, probe.First, probe.AtOnce, probe.UnderWay)
		})
	}
}

// TestOneOfAPipelineIsCut wants one response counted as cut, and not those that were
// to come behind it.
func TestOneOfAPipelineIsCut(t *testing.T) {
	t.Parallel()
	s, accounts := fakeServer(t, cuts)
	o := options()
	o.Profile = probe.Profile{Kinds: []probe.Kind{probe.Pipeline}, Connections: 10, Rate: 800}
	r := mustRun(t, s, o)
	if n := sum(t, accounts).Harmed; n == 0 || int64(r.Ways[probe.Cut]) != n || r.Lost <= r.Ways[probe.Cut] {
		t.Errorf("of %d lost %d cut, and the server did so to %d", r.Lost, r.Ways[probe.Cut], n)
	}
}

// TestAnAnswerBeforeTheBodyIsRead wants it counted as an answer, though the request
// could not be written to its end.
func TestAnAnswerBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	s, accounts := fakeServer(t, hasty)
	o := options()
	o.Profile.Rate = 100
	o.Requests = []probe.Request{{Method: "POST", Body: strings.Repeat("x", 1<<20)}}
	r := mustRun(t, s, o)
	known := sum(t, accounts)
	if n := int64(r.Answered + r.Checks); n != known.Answered || r.LostBefore != 0 {
		t.Errorf("%d answered, and %d seen; %d lost before the stop", known.Answered, n, r.LostBefore)
	}
}

func way(name string) func(*probe.Result) int {
	return func(r *probe.Result) int { return r.Ways[name] }
}

// TestWhatServersDoAtAStop wants the diagnosis of each.
func TestWhatServersDoAtAStop(t *testing.T) {
	t.Parallel()
	t.Run(unasked, func(t *testing.T) {
		t.Parallel()
		s, _ := fakeServer(t, unasked)
		o := options()
		o.Profile = kept
		r := mustRun(t, s, o)
		if !says(r, probe.OutOfTurn) || r.Unasked == 0 {
			t.Errorf("it does not say what was sent unasked")
		}
	})
	t.Run(ignores, func(t *testing.T) {
		t.Parallel()
		r := killed(t, ignores, options().Profile, func(r *probe.Result, lastQuarter float64) bool { return r.Newcomer > lastQuarter })
		if r.Exits["killed"] != 1 {
			t.Errorf("it ended so: %v", r.Exits)
		}
		wantDiagnoses(t, r, []string{probe.Ignored}, probe.Kept, probe.First, probe.UnderWay)
	})
	t.Run(holds, func(t *testing.T) {
		t.Parallel()
		r := killed(t, holds, kept, func(r *probe.Result, lastQuarter float64) bool { return max(r.Newcomer, r.Veteran) <= lastQuarter })
		if r.Lost != 0 {
			t.Errorf("%d lost, and the server answered all", r.Lost)
		}
		wantDiagnoses(t, r, []string{probe.Overdue})
	})
	t.Run(atOnce, func(t *testing.T) {
		t.Parallel()
		s, accounts := fakeServer(t, atOnce)
		o := options()
		o.SlowPath, o.Profile = "/", probe.Profile{Kinds: []probe.Kind{probe.Slow}, Connections: 20, Rate: 500}
		r := mustRun(t, s, o)
		known := sum(t, accounts)
		// What it had read and not answered is lost; what it had not read, too.
		if inVain := known.Executed - known.Answered; inVain == 0 || int64(r.Lost+r.Unfinished) < inVain {
			t.Errorf("%d lost; the server executed %d without an answer", r.Lost, inVain)
		}
		wantDiagnoses(t, r, []string{probe.AtOnce}, probe.Kept, probe.First)
	})
	t.Run("shell", func(t *testing.T) {
		t.Parallel()
		s, _ := fakeServer(t, steady)
		s.Command = append([]string{"sh", "-c", `"$@" & wait`, "sh"}, s.Command...)
		r := mustRun(t, s, options())
		// What would the service itself have done? It got no signal.
		wantDiagnoses(t, r, []string{probe.ShellOnly}, probe.Kept, probe.First)
	})
	t.Run(early, func(t *testing.T) {
		t.Parallel()
		s, accounts := fakeServer(t, early)
		o := options()
		o.Profile = kept
		r := mustRun(t, s, o)
		if n := sum(t, accounts).Harmed; int64(r.Lost) < n || n == 0 {
			t.Errorf("%d lost, and the server closed %d", r.Lost, n)
		}
		if r.LostBefore == 0 {
			t.Error("none lost before the stop")
		}
		// The signal may find nearly all of them with a request under way.
		wantDiagnoses(t, r, []string{probe.Earlier}, probe.Kept, probe.First, probe.AtOnce, probe.UnderWay)
	})
	t.Run(raises, func(t *testing.T) {
		t.Parallel()
		s, _ := fakeServer(t, raises)
		o := options()
		o.Profile = kept
		r := mustRun(t, s, o)
		if r.Exits["ended by SIGTERM"] != 1 {
			t.Errorf("it ended so: %v", r.Exits)
		}
		wantDiagnoses(t, r, []string{probe.ExitCode}, probe.First)
	})
	t.Run(failing, func(t *testing.T) {
		t.Parallel()
		s, _ := fakeServer(t, failing)
		o := options()
		o.Profile = kept
		r := mustRun(t, s, o)
		if r.Lost != 0 || r.Exits["exit code 3"] != 1 {
			t.Errorf("%d lost, and it ended so: %v", r.Lost, r.Exits)
		}
		wantDiagnoses(t, r, []string{probe.ExitCode, probe.AllAnswered})
	})
}

// TestWhatCannotBeProbed wants an error that says what to do.
func TestWhatCannotBeProbed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode, want string
	}{
		{mute, "does not listen"},
		{exits, "exit code 3\nits output ends with:\nno bread left"},
		{dies, "ended by itself under the load, before any signal: exit code 7\nits output ends with:\ntired of it"},
		{notFound, "give a -path that the service has"},
		{leads, "leads to /elsewhere: give that as the URL"},
		{several, "say which one is to be loaded, such as -url http://127.0.0.1:"},
		{h2, "speaks HTTP/2 only"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			s, _ := fakeServer(t, c.mode)
			o := options()
			if c.mode == mute {
				o.Start = 500 * time.Millisecond
			}
			_, err := run(t, s, o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %q, and not one with %q", err, c.want)
			}
		})
	}
	t.Run("background", func(t *testing.T) {
		t.Parallel()
		_, err := run(t, probe.Subject{Command: []string{"true"}}, options())
		if err == nil || !strings.Contains(err.Error(), "stay in the foreground") {
			t.Errorf("the error is %q", err)
		}
	})
}

// TestAServiceLeavesAnotherBehind wants to be told that the next one could not listen.
func TestAServiceLeavesAnotherBehind(t *testing.T) {
	t.Parallel()
	s, file := fakeServer(t, leaver)
	addr := freeAddr(t)
	s.URL, s.Command[len(s.Command)-1] = "http://"+addr+"/", addr
	t.Cleanup(func() {
		text, _ := os.ReadFile(file)
		if pid, err := strconv.Atoi(string(text)); err != nil || syscall.Kill(pid, syscall.SIGKILL) != nil {
			t.Errorf("its process %q is not there to be ended", text)
		}
	})
	if _, err := run(t, s, options()); err == nil || !strings.Contains(err.Error(), "left behind") {
		t.Errorf("the error is %v", err)
	}
}
