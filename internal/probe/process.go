package probe

import (
	"fmt"
	"strings"
)

// end is about the process. It reports whether it ended without finishing anything.
func (d *diagnosis) end() (atOnce bool) {
	if n := d.Exits["killed"]; n > 0 {
		killed := ""
		if lost := d.count(d.byKill); lost > 0 {
			killed = fmt.Sprintf("; %s lost by that", some(lost, "request was", "requests were"))
		}
		// Who closes the listener late, on purpose, and then hangs, does not ignore it.
		switch late := d.Grace * 1e3 * 3 / 4; {
		case d.Newcomer > late:
			d.say(Ignored, true, "handle it: stop listening, answer what is under way, end; if a shell starts the service, let it do so with exec",
				"it seems to ignore %s: %s later it still served new connections, and was killed after %s%s%s", d.Signal, short(duration(d.Newcomer)), short(d.grace()), d.in(n), killed)
		case d.Veteran > late:
			told := "their clients were not told to leave"
			if d.Closings > 0 {
				told = "not all of their clients were told to leave"
			}
			d.say(Lingering, true, "let each response after the signal say `Connection: close`, so that the clients leave; closing the idle connections once is not enough",
				"kept connections held it until it was killed, %s after %s%s: they went on being served, and %s%s", short(d.grace()), d.Signal, d.in(n), told, killed)
		default:
			if killed == "" && d.Lost == d.LostBefore {
				killed = "; it had answered all"
			}
			d.say(Overdue, true, "something holds the stop, most often a handler or a connection that does not end: give it a deadline within the grace",
				"it had not ended %s after %s, and was killed%s%s", short(d.grace()), d.Signal, d.in(n), killed)
		}
	}
	if n := d.byTerm; n > 0 && d.Signal != "SIGKILL" {
		atOnce = true
		text := "it ended at once%s: nothing handles %s"
		if d.unhandled < n {
			text = "it was ended%s by %s itself, at once: most likely nothing handles it"
		}
		d.say(Unhandled, true, "handle it: stop listening, answer what is under way, end", text, d.in(n), d.Signal)
	}
	if d.Strays > 0 {
		atOnce = true // what was lost was lost by our kill of the others
		d.say(ShellOnly, true, "start the service with exec, so that it takes the place of the shell",
			"the process ended%s, but others that it had started went on: the signal reaches only the first, most often a shell", d.in(d.Strays))
	}
	if !atOnce && d.Exits["killed"] == 0 && d.abandons() && 10*d.lively <= d.UnderWay {
		atOnce = true
		d.say(AtOnce, true, "handle the signal by waiting for what is under way: most servers have a call for it, such as Shutdown, or close with a callback",
			"it ends at once: from the signal on it answered next to nothing, and %d of %d requests that were under way got lost", d.UnderWayLost, d.UnderWay)
	}
	for _, way := range sortedKeys(d.Exits) {
		in := d.in(d.Exits[way])
		switch {
		case way == "exit code 0" || way == "killed" || way == endedBy+d.Signal && (d.byTerm+d.Strays > 0 || d.Signal == "SIGKILL"):
			continue
		case strings.HasPrefix(way, endedBy):
			way = "was " + way
		default:
			way = "ended with " + way
		}
		d.say(ExitCode, false, "an orchestrator may take it for a crash: end with 0 after a stop that went well", "it %s%s", way, in)
	}
	return atOnce
}

// byKill reports whether an event is due to the kill after the grace.
func (d *diagnosis) byKill(e *Event) bool {
	return d.Exits["killed"] > 0 && e.lost() && e.At >= d.Grace*1e3
}

// abandons reports whether the stop is the end of the requests under way: most of them
// got lost, and not only the few that had been sent a moment before the signal.
func (d *diagnosis) abandons() bool {
	return d.underWayGone >= underWayLeast && 10*d.underWayGone >= 8*d.UnderWay
}

// underWayLeast is how many requests under way have to be lost for it to be a way of
// the server.
const underWayLeast = 3
