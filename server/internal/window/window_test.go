package window

import (
	"math"
	"strconv"
	"testing"
	"time"
)

// A crowd is what a drain would see of its connections, by the time since the
// stop.
type crowd struct {
	of   int // that wait at the stop
	used func(at time.Duration) int
}

const ms = time.Millisecond

// The crowds of the tests. share is a smooth one: so many of all are used a
// second, of those that still wait.
var (
	silent = func(time.Duration) int { return 0 }
	share  = func(of int, rate float64) func(time.Duration) int {
		return func(at time.Duration) int { return int(float64(of) * (1 - math.Exp(-rate*at.Seconds()))) }
	}
	until = func(of int, end time.Duration) func(time.Duration) int {
		return func(at time.Duration) int { return int(min(at, end) * time.Duration(of) / end) }
	}
	oneAt = func(when time.Duration) func(time.Duration) int {
		return func(at time.Duration) int {
			if at >= when {
				return 1
			}
			return 0
		}
	}
	trickle = func(every time.Duration) func(time.Duration) int {
		return func(at time.Duration) int { return int(at / every) }
	}
)

func TestWindowEnds(t *testing.T) {
	tests := []struct {
		name      string
		finalRead time.Duration
		left      time.Duration
		crowd     crowd
		reason    Reason
		at        time.Duration
	}{
		// The rule, with all the time there is.
		{"nobody is connected", 0, Unlimited, crowd{0, silent}, Empty, 0},
		{"busy clients are through early", 0, Unlimited, crowd{1000, until(1000, 380*ms)}, Empty, 400 * ms},
		{"never used connections go first", 0, Unlimited, crowd{1000, silent}, Quiet, 500 * ms},
		{"one chatty client holds the others for its second", 0, Unlimited, crowd{10_000, oneAt(10 * ms)}, Quiet, 1050 * ms},
		{"one use just before the first end", 0, Unlimited, crowd{1000, oneAt(490 * ms)}, Quiet, 1500 * ms},
		{"one use just after it comes too late", 0, Unlimited, crowd{1000, oneAt(510 * ms)}, Quiet, 500 * ms},
		{"pauses of up to 1.5 s are waited for", 0, Unlimited, crowd{1000, until(1000, 1490*ms)}, Empty, 1500 * ms},
		{"so is a busy minority", 0, Unlimited, crowd{10_000, until(500, 1490*ms)}, Quiet, 2000 * ms},
		{"a mean pause of 1 s takes all the time", 0, Unlimited, crowd{1000, share(1000, 1)}, Limit, 3000 * ms},
		{"a mean pause of 3 s as well", 0, Unlimited, crowd{1000, share(1000, 1.0/3)}, Limit, 3000 * ms},
		{"one of 10 s does not", 0, Unlimited, crowd{1000, share(1000, 0.1)}, Quiet, 2000 * ms},
		{"rare uses go on until a share decides", 0, Unlimited, crowd{1000, trickle(450 * ms)}, Quiet, 2000 * ms},

		// The rule, in a context.
		{"5 s change nothing", 0, 5 * time.Second, crowd{1000, share(1000, 1)}, Context, 2500 * ms},
		{"7 s leave the limit", 0, 7 * time.Second, crowd{1000, share(1000, 1)}, Limit, 3000 * ms},
		{"2 s leave 1 s for it", 0, 2 * time.Second, crowd{1000, share(1000, 1)}, Context, time.Second},
		{"quiet comes before the context", 0, 2 * time.Second, crowd{1000, silent}, Quiet, 500 * ms},
		{"0.5 s leave no time for quiet", 0, 500 * ms, crowd{1000, silent}, Context, 250 * ms},
		{"0.2 s", 0, 200 * ms, crowd{1000, silent}, Context, 100 * ms},
		{"0.17 s are looked at in time", 0, 170 * ms, crowd{1000, silent}, Context, 85 * ms},
		{"a context that has ended", 0, 0, crowd{1000, silent}, Context, 0},
		{"one that ended long ago", 0, -time.Hour, crowd{1000, silent}, Context, 0},

		// Fixed windows.
		{"fixed, silent", 2 * time.Second, Unlimited, crowd{1000, silent}, Limit, 2 * time.Second},
		{"fixed, used", 2 * time.Second, Unlimited, crowd{1000, share(1000, 1)}, Limit, 2 * time.Second},
		{"fixed, through", 2 * time.Second, Unlimited, crowd{1000, until(1000, 380*ms)}, Empty, 400 * ms},
		{"fixed, between two looks", 120 * ms, Unlimited, crowd{1000, silent}, Limit, 120 * ms},
		{"fixed, longer than the rule's", 10 * time.Second, Unlimited, crowd{1000, share(1000, 0.1)}, Limit, 10 * time.Second},
		{"fixed, in a context", 2 * time.Second, time.Second, crowd{1000, silent}, Context, 500 * ms},
		{"fixed, as long as the context's part", 500 * ms, time.Second, crowd{1000, silent}, Limit, 500 * ms},
		{"none", -1, Unlimited, crowd{1000, share(1000, 20)}, Limit, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reason, at := run(t, New(test.finalRead), test.left, test.crowd)
			if reason != test.reason || at != test.at {
				t.Errorf("the window ended at %v (%v), want %v (%v)", at, reason, test.at, test.reason)
			}
		})
	}
}

// run looks whenever it is told to, until the window ends.
func run(t *testing.T, w *Window, left time.Duration, c crowd) (Reason, time.Duration) {
	t.Helper()
	var at time.Duration
	for range 1000 {
		uses := c.used(at)
		reason, wait := w.Look(Look{Elapsed: at, Left: left, Uses: uses, Waiting: c.of - uses})
		if reason != Open {
			return reason, at
		}
		if wait <= 0 || wait > Interval {
			t.Fatalf("at %v: told to look again in %v", at, wait)
		}
		at += wait
	}
	t.Fatalf("the window is open after %v", at)
	return 0, 0
}

// Where looks come late, on a machine that is too busy, the second over which
// uses count gets longer, and never shorter.
func TestLateLooksForgetNothing(t *testing.T) {
	w := New(0)
	for _, l := range []struct {
		at   time.Duration
		uses int
		want Reason
	}{
		{50 * ms, 0, Open},
		{400 * ms, 10, Open},
		{900 * ms, 11, Open},
		{1890 * ms, 11, Open}, // the newest look a second old is that at 400 ms
		{1899 * ms, 11, Open},
		{1900 * ms, 11, Quiet},
	} {
		if got, _ := w.Look(Look{Elapsed: l.at, Left: Unlimited, Uses: l.uses, Waiting: 100}); got != l.want {
			t.Fatalf("at %v: %v, want %v", l.at, got, l.want)
		}
	}
}

// Another Shutdown that joins a drain may bring its end forward, or put it off.
func TestContextThatChanges(t *testing.T) {
	look := func(at, left time.Duration) Look {
		return Look{Elapsed: at, Left: left, Uses: int(at / ms), Waiting: 1000}
	}
	w := New(0)
	for at := Interval; at <= time.Second; at += Interval {
		if got, _ := w.Look(look(at, Unlimited)); got != Open {
			t.Fatalf("at %v: %v", at, got)
		}
	}
	if got, wait := w.Look(look(1010*ms, 2040*ms)); got != Open || wait != 10*ms {
		t.Errorf("with a context that leaves 2.04 s: %v for %v, want 10ms until its half", got, wait)
	}
	if got, _ := w.Look(look(1050*ms, time.Second)); got != Context {
		t.Errorf("with a context that left 1 s: %v", got)
	}
}

func TestPace(t *testing.T) {
	for _, test := range []struct {
		finalRead time.Duration
		n         int
		left      time.Duration
		want      time.Duration
	}{
		{0, 1000, Unlimited, 10 * time.Microsecond},
		{0, 20_000, Unlimited, 10 * time.Microsecond},
		{0, 100_000, Unlimited, 2 * time.Microsecond}, // in 200 ms
		{0, 40_000, 800 * ms, 2500 * time.Nanosecond}, // in 100 ms
		{0, 1, 200 * ms, 10 * time.Microsecond},
		{5 * time.Second, 1000, Unlimited, 10 * time.Microsecond},
		{-1, 1000, Unlimited, 0},
		{0, 0, Unlimited, 0},
		{0, 1000, 0, 0},
		{0, 1000, -time.Second, 0},
	} {
		if got := New(test.finalRead).Pace(test.n, test.left); got != test.want {
			t.Errorf("FinalRead %v, %d closes, %v left: %v, want %v", test.finalRead, test.n, test.left, got, test.want)
		}
	}
}

// The window, the closes after it, and what a connection still may take fit
// into every context.
func TestAllOfItFitsIntoTheContext(t *testing.T) {
	for _, left := range []time.Duration{200 * ms, 500 * ms, time.Second, 2 * time.Second, 5 * time.Second, time.Minute} {
		for _, finalRead := range []time.Duration{0, 100 * ms, time.Second, time.Hour} {
			for _, n := range []int{1, 100, 10_000, 1_000_000} {
				w := New(finalRead)
				_, at := run(t, w, left, crowd{n, silent})
				closed := at + time.Duration(n)*w.Pace(n, left)
				rest := Rest(closed, left)
				if end := closed + rest; at > left/2 || rest < left/8 || end > left-50*ms {
					t.Errorf("FinalRead %v, %d connections, %v left: the window ended at %v, the closes at %v, the rest at %v", finalRead, n, left, at, closed, end)
				}
			}
		}
	}
	if got := Rest(time.Hour, Unlimited); got != Unlimited {
		t.Errorf("with no context the rest is %v", got)
	}
	if got := Rest(60*ms, 100*ms); got != 0 {
		t.Errorf("in the last 50 ms of a context the rest is %v", got)
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := Open; r <= Context; r++ {
		if name := r.String(); seen[name] || name == "unknown" {
			t.Errorf("reason %s is called %s", strconv.Itoa(int(r)), name)
		} else {
			seen[name] = true
		}
	}
}
