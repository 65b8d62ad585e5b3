package fasthttp

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp/internal/acceptqueue"
	"github.com/valyala/fasthttp/internal/window"
)

// drainCount is the account of a drain, written by the connections.
type drainCount struct {
	accepted      atomic.Int64
	finalServed   atomic.Int64
	finalRejected atomic.Int64
	late          atomic.Int64
	undelivered   atomic.Int64
	outcome       [outcomes]atomic.Int64
}

// DrainReport is the account of a drain, under way or ended.
type DrainReport struct {
	// Phase is the drain's phase; PhaseServing if Shutdown was not called
	// since the last Serve, and then all the rest is zero.
	Phase DrainPhase

	// Started is when Shutdown was called, Duration the time since, or until
	// the drain's end. LameDuck, ClosingListeners and Draining are its parts.
	Started                              time.Time
	Duration                             time.Duration
	LameDuck, ClosingListeners, Draining time.Duration

	// Deadline is when the drain gives up: when the last of the contexts given
	// to ShutdownWithContext ends. It is zero if one of them has no deadline.
	Deadline time.Time

	// OpenAtStop counts the connections open at the stop, Accepted those that
	// came since: from the accept queue, on their way to a worker at the stop,
	// refused over a limit, or given to ServeConn.
	OpenAtStop, Accepted int

	// Outcomes says how they ended.
	Outcomes DrainOutcomes

	// Window is how long the connections that waited for a request were kept,
	// and WindowEnd says why no longer: "empty", nothing waited any more;
	// "quiet", too few were used; "limit", [Drain.FinalRead] or the 3 s of its
	// default were over; "context", half of what the context left was. They are
	// zero while the window is open, and where there is none. Uses counts the
	// connections that waited and then began a request, each once.
	Window    time.Duration
	WindowEnd string
	Uses      int

	// FinalReadServed and FinalReadRejected count the requests that began
	// after the stop.
	FinalReadServed, FinalReadRejected int

	// Late counts the connections on which bytes arrived after the last look,
	// or were left at the end of their window: requests that HTTP/1.1 gives
	// no way to save. Their clients got no answer and may retry.
	Late int

	// Undelivered counts the connections whose peer had not acknowledged all
	// bytes when the time of their linger was over (SIOCOUTQ, see tcp(7); zero but
	// on Linux, and without a linger).
	// The kernel goes on sending, unless the process was its network's last.
	Undelivered int

	// HijackedReturned and HijackedLeft count the hijack handlers that ran at the
	// stop or began since: those that have returned, and those that have not, so
	// far or at the drain's end. See [Drain.Hijacked].
	HijackedReturned, HijackedLeft int

	// Listeners has a line for each listener that the drain closed.
	Listeners []ListenerReport

	// Open lists connections that are still open, as [Server.Conns] does.
	Open []OpenConn
}

// ListenerReport says how a listener was closed.
type ListenerReport struct {
	// Addr is the listener's address.
	Addr string

	// Strategy is how the accept queue was emptied:
	//
	//   - "twin", "syn_filter": no new handshake could begin, those under way
	//     finished, then the kernel said that the queue was empty. A client
	//     that connects meanwhile gets no answer, and tries again after a
	//     second, as TCP does.
	//   - "migrate": until the kernel said that the queue was empty; it gives
	//     what comes then, handshakes half done included, to another socket
	//     that listens on the address, and did so after the close.
	//   - "poll": until the kernel said that the queue was empty. A handshake
	//     half done at that moment has been reset.
	//   - "deadline": until nothing came for a moment.
	//   - "close": not at all; what was in the queue has been reset.
	Strategy string

	// Why says why the strategy is not a better one, and why connections may have
	// been left; empty for "twin" if none were.
	Why string

	// Accepted counts the connections accepted from the queue after the stop.
	Accepted int

	// Handshakes counts the handshakes that were under way when no new one
	// could begin any more, Unfinished those that were still at the close:
	// their clients had not answered for a second, or the time was up. Waited
	// is how long that took. They are zero with the weaker strategies, which do
	// not know.
	Handshakes, Unfinished int
	Waited                 time.Duration

	// Emptied is false if connections may have been left: the strategy was
	// "close", the time was up, or the listener has TCP_DEFER_ACCEPT and clients
	// had connected and sent nothing. Why says which.
	Emptied bool
}

// MayHaveReset says that the kernel may have reset connections when the listener
// was closed: a weaker strategy ran, or the time was up.
func (l ListenerReport) MayHaveReset() bool {
	switch l.Strategy {
	case acceptqueue.Twin, acceptqueue.SYNFilter, acceptqueue.Migrate:
		return !l.Emptied
	}
	return true
}

// String is the account of the listener, for a log.
func (l ListenerReport) String() string {
	line := fmt.Sprintf("accept queue of %s: %s, %d accepted", l.Addr, l.Strategy, l.Accepted)
	if l.Unfinished > 0 {
		line += fmt.Sprintf(", %d handshakes unfinished", l.Unfinished)
	}
	if l.MayHaveReset() {
		line += ", connections may have been reset here"
	}
	if l.Why != "" {
		line += " (" + l.Why + ")"
	}
	return line
}

// String is the account on one line, for a log.
func (r DrainReport) String() string {
	verdict := r.Verdict()
	if verdict == "" {
		verdict = r.Phase.String()
	}
	line := fmt.Sprintf("drain %s in %v: %d connections open at the stop, %d accepted since",
		verdict, r.Duration.Round(time.Millisecond), r.OpenAtStop, r.Accepted)
	sep := "; "
	for i, names := range outcomeNames {
		line += fmt.Sprintf("%s%d %s", sep, *r.Outcomes.of(drainOutcome(i)), names.text)
		sep = ", "
	}
	line += fmt.Sprintf("; final reads: %d requests served, %d rejected; %d connections late",
		r.FinalReadServed, r.FinalReadRejected, r.Late)
	if r.WindowEnd != "" && r.OpenAtStop+r.Accepted > 0 {
		line += fmt.Sprintf("; final-read window %v (%s), %d used in it",
			r.Window.Round(time.Millisecond), r.WindowEnd, r.Uses)
	}
	if r.Undelivered > 0 {
		line += fmt.Sprintf("; %d connections closed before all was acknowledged", r.Undelivered)
	}
	if r.HijackedReturned+r.HijackedLeft > 0 {
		line += fmt.Sprintf("; %d hijack handlers returned, %d left", r.HijackedReturned, r.HijackedLeft)
	}
	for _, l := range r.Listeners {
		line += "; " + l.String()
	}
	return line
}

// DrainReport returns the account of the drain under way, or else of the last
// one since Serve was called. It is safe to call at any time.
func (s *Server) DrainReport() DrainReport {
	d := s.drains.report.Load()
	if d == nil {
		return DrainReport{}
	}
	d.mu.Lock()
	r := DrainReport{
		Phase:      d.phase,
		Started:    d.entered[PhaseServing],
		OpenAtStop: d.open,
		Window:     d.window.took,
		Uses:       int(d.uses.Load()),
		Listeners:  slices.Clone(d.queues),
	}
	if d.window.reason != window.Open {
		r.WindowEnd = d.window.reason.String()
	}
	if t, ok := d.deadline(); ok {
		r.Deadline = t
	}
	entered := d.entered
	d.mu.Unlock()

	end := time.Now()
	for _, p := range []DrainPhase{PhaseStopped, PhaseTimedOut} {
		if !entered[p].IsZero() {
			end = entered[p]
		}
	}
	span := func(from, to DrainPhase) time.Duration {
		switch {
		case entered[from].IsZero():
			return 0
		case entered[to].IsZero():
			return end.Sub(entered[from])
		}
		return entered[to].Sub(entered[from])
	}
	r.Duration = end.Sub(r.Started)
	r.LameDuck = span(PhaseLameDuck, PhaseClosingListeners)
	r.ClosingListeners = span(PhaseClosingListeners, PhaseDraining)
	r.Draining = span(PhaseDraining, PhaseStopped)

	r.Accepted = int(d.count.accepted.Load())
	r.FinalReadServed = int(d.count.finalServed.Load())
	r.FinalReadRejected = int(d.count.finalRejected.Load())
	r.Late = int(d.count.late.Load())
	r.Undelivered = int(d.count.undelivered.Load())
	r.Outcomes.add(&d.count)
	r.HijackedReturned, r.HijackedLeft, _ = s.hijacks(d)
	r.Open = s.Conns()
	return r
}
