package compat

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fastdrain/fastdrain/tests/compat/client"
)

// port is what differs each time in an error.
var port = regexp.MustCompile(` tcp4? [0-9.]+:\d+|(->)?[0-9.]+:\d+`)

// slack is what a stop may take beyond its context on a busy machine.
const slack = 2 * time.Second

// worse lists in what the copy's stop was worse than upstream's, or broke the
// contract in a way that upstream has no word in.
func (s situation) worse(theirs, ours result) (bad []string) {
	say := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	for i, o := range ours.outcomes {
		u := theirs.outcomes[i]
		for _, a := range u.Answers {
			if !o.Answered(a.ID) {
				say("%s: %s is not answered (%s%s), upstream answered it", o.State, a.ID, o.End, o.Error)
			}
		}
		for _, id := range o.Sent {
			if !o.Answered(id) && !u.Answered(id) {
				say("%s: %s is not answered (%s%s), as with upstream, but the contract says so", o.State, id, o.End, o.Error)
			}
		}
		if o.End == client.RST && u.End != client.RST {
			say("%s: reset, upstream's ended with %s", o.State, u.End)
		}
		if o.End == client.Open && u.End != client.Open {
			say("%s: left open, upstream's ended with %s", o.State, u.End)
		}
		if o.Cut && !u.Cut {
			say("%s: cut inside a response", o.State)
		}
	}
	if o, u := ours.vain(), theirs.vain(); len(o) > len(u) {
		say("executed and unanswered: %v, upstream %v", o, u)
	}
	if ours.others != "" && theirs.others == "" {
		say("afterwards: %s, upstream serves", ours.others)
	}
	if good(theirs.exit) && !good(ours.exit) {
		say("the process: %s, upstream %s", ours.exit, theirs.exit)
	}
	if strings.Contains(ours.exit, "panic") {
		say("panic: %s", ours.stderr)
	}
	if theirs.returned && !ours.returned && !s.endsFirst {
		say("Shutdown has not returned")
	}
	if ours.err != "" && theirs.returned && theirs.err == "" {
		say("Shutdown: %s, upstream nil", ours.err)
	}
	if limit := s.limit(); ours.took > limit && theirs.took <= limit {
		say("Shutdown took %v", ours.took)
	}
	if ours.account != "" {
		say("the account does not add up: %s", ours.account)
	}
	return bad
}

func (s situation) limit() time.Duration {
	if s.context > 0 {
		return s.context + slack
	}
	return 10*time.Second + slack
}

func good(exit string) bool { return exit == "exit status 0" }

// vain are the requests that were executed, and whose clients got no answer though
// they waited for it.
func (r result) vain() (ids []string) {
	for _, o := range r.outcomes {
		if o.End == client.Own {
			continue
		}
		for _, id := range o.Sent {
			if r.executed[id] && !o.Answered(id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// lost describes the clients that did not get all they asked for.
func (r result) lost() (list []string) {
	for _, o := range r.outcomes {
		if len(o.Answers) < len(o.Sent) || o.End != client.FIN && o.End != client.Own || o.Cut {
			list = append(list, fmt.Sprintf("%+v", o))
		}
	}
	return list
}

// String is the result as a cell of docs/compat.md.
func (r result) String() string {
	sent, answered, reset := 0, 0, 0
	lost := map[string]int{}
	for _, o := range r.outcomes {
		ids := o.Sent
		if len(ids) == 0 && o.State == "in the handshake" {
			ids = []string{"the first"}
		}
		for _, id := range ids {
			sent++
			if o.Answered(id) {
				answered++
			} else {
				lost[o.State]++
			}
		}
		if o.End == client.RST {
			reset++
		}
	}
	parts := []string{fmt.Sprintf("%d of %d answered", answered, sent)}
	var states []string
	for state, n := range lost {
		states = append(states, fmt.Sprintf("%s %d", state, n))
	}
	if slices.Sort(states); len(states) > 0 {
		parts[0] += " (lost: " + strings.Join(states, ", ") + ")"
	}
	if n := len(r.vain()); n > 0 {
		parts = append(parts, fmt.Sprintf("%d executed in vain", n))
	}
	if reset > 0 {
		parts = append(parts, fmt.Sprintf("%d reset", reset))
	}
	switch {
	case !r.returned:
		parts = append(parts, "Shutdown had not returned when the process ended")
	case r.err != "":
		parts = append(parts, "Shutdown: "+r.err)
	}
	if r.others != "" {
		parts = append(parts, port.ReplaceAllString(r.others, ""))
	}
	if !good(r.exit) {
		parts = append(parts, r.exit)
	}
	return strings.Join(parts, "; ")
}
