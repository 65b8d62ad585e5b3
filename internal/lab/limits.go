package lab

import (
	"fmt"
	"time"
)

// The limits of the patched server.
const (
	// connectLimit is the part of upstream's losses that is left where a stop
	// hits connections on their way through the accept queue.
	connectLimit = 1.0 / 10
	// connectFloor is how much upstream must have lost for that to be judged.
	connectFloor = 10
	// holdLimit is for the median stop with idle connections and no final read. A
	// busy machine makes that longer, so upstream's, in the same run, judges then: most
	// of it is a pause of 100 ms. Where net/http exceeds the limit, too, the machine is
	// too busy for either.
	holdLimit = 20 * time.Millisecond
	// silentLimit is for the median stop with connections that nobody uses, and
	// the default window.
	silentLimit = 700 * time.Millisecond
)

// outcome is how a check of a limit came out.
type outcome int

const (
	kept outcome = iota
	exceeded
	open // not enough was seen to say
)

// verdict is one limit with the figure that was seen.
type verdict struct {
	scenario string
	outcome  outcome
	text     string
}

// judge holds the results of the patched server against its limits, and remarks
// where upstream, the control, shows none of what it is known for.
func judge(results []*Result) []verdict {
	find := func(scenario, variant string) *Result {
		for _, r := range results {
			if r.Scenario == scenario && r.Variant == variant && r.Stops > 0 {
				return r
			}
		}
		return nil
	}
	var verdicts []verdict
	say := func(r *Result, out outcome, format string, args ...any) {
		verdicts = append(verdicts, verdict{r.Scenario, out, fmt.Sprintf(format, args...)})
	}
	check := func(r *Result, ok bool, format string, args ...any) {
		out := kept
		if !ok {
			out = exceeded
		}
		say(r, out, format, args...)
	}

	for _, s := range scenarios {
		if up := find(s.name, Upstream); up != nil && up.Lost == 0 {
			switch s.name {
			case "keepalive", "pipeline", "connect":
				say(up, open, "upstream lost nothing in %d stops, so this run had no control that could fail", up.Stops)
			}
		}
		r := find(s.name, Patched)
		if r == nil {
			continue
		}
		switch s.name {
		case "keepalive", "idle", "pool", "pool-first", "few", "pipeline", "greedy", "slow":
			check(r, r.Lost == 0, "lost %d of %d requests in %d stops (limit 0)", r.Lost, r.Requests, r.Stops)
			if s.name == "pipeline" {
				check(r, r.ExecutedUnanswered == 0, "executed but not answered: %d (limit 0)", r.ExecutedUnanswered)
			}
		case "connect", "connect-tls":
			judgeConnect(r, find(s.name, Upstream), check, say)
		case "hold", "silent":
			limit := holdLimit
			if s.name == "silent" {
				limit = silentLimit
			}
			seen, up := seconds(r.Shutdown.Median), find(s.name, Upstream)
			switch {
			case seen < limit:
				check(r, true, "a stop takes %v at the median (limit: under %v)", seen, limit)
			case s.name == "hold" && up != nil:
				theirs := seconds(up.Shutdown.Median)
				if twin := find(s.name, NetHTTP); seen >= theirs && twin != nil && seconds(twin.Shutdown.Median) >= limit {
					say(r, open, "a stop takes %v at the median, upstream's %v and net/http's %v: run it alone, with nothing beside it", seen, theirs, seconds(twin.Shutdown.Median))
					break
				}
				check(r, seen < theirs, "a stop takes %v at the median, and not under %v (limit on a busy machine: upstream's, %v)", seen, limit, theirs)
			default:
				say(r, open, "a stop takes %v at the median, and not under %v: run it alone, with nothing beside it", seen, limit)
			}
		}
		if n := r.failedExits(); n > 0 {
			check(r, false, "%d of %d processes did not exit with 0: %s%s", n, r.Stops, r.Exit, r.stderr)
		}
		if len(r.tally.problems) > 0 {
			check(r, false, "clients saw what must not happen:%s", r.tally.problems.list())
		}
	}
	return verdicts
}

func judgeConnect(r, upstream *Result, check func(*Result, bool, string, ...any), say func(*Result, outcome, string, ...any)) {
	switch {
	case r.Lost == 0:
		check(r, true, "lost 0 of %d requests in %d stops (limit: 1 in 10 of upstream's)", r.Requests, r.Stops)
	case upstream == nil:
		say(r, open, "lost %d requests in %d stops; the limit is 1 in 10 of upstream's, which did not run", r.Lost, r.Stops)
	case upstream.Lost < connectFloor:
		say(r, open, "lost %d requests in %d stops, and upstream %d in %d, which is too little to compare: run more rounds",
			r.Lost, r.Stops, upstream.Lost, upstream.Stops)
	default:
		limit := connectLimit * upstream.perStop()
		check(r, r.perStop() <= limit, "lost %.2f requests a stop (limit: 1 in 10 of upstream's %.2f)", r.perStop(), upstream.perStop())
	}
}

// perStop is the number of lost requests per stop.
func (r *Result) perStop() float64 {
	if r.Stops == 0 {
		return 0
	}
	return float64(r.Lost) / float64(r.Stops)
}

// seconds turns seconds into a duration with as many digits as one wants to read.
func seconds(s float64) time.Duration {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d < 100*time.Millisecond:
		return d.Round(100 * time.Microsecond)
	default:
		return d.Round(time.Millisecond)
	}
}
