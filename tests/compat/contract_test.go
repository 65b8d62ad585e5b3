package compat

import (
	"fmt"
	"slices"
	"time"

	"github.com/fastdrain/fastdrain/tests/compat/client"
	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

// verdict lists in what the copy's run of a draw was worse than upstream's, or broke
// the contract.
func verdict(d draw.Draw, theirs, ours draw.Result) (bad []string) {
	say := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	scripts := append(slices.Clone(d.Clients), d.Late...)
	// Over a limit it is chance who is refused.
	chance := d.Server.Concurrency > 0 || d.Server.MaxConnsPerIP > 0
	for i, s := range scripts {
		o, u := ours.Outcomes[i], inTime(theirs, theirs.Outcomes[i])
		late := i >= len(d.Clients)
		if leaves(s) || chance || late && (!shown(d) || held(d)) {
			continue
		}
		for _, a := range u.Answers {
			if a.ID != "" && !o.Answered(a.ID) && !excused(d, s, o, a.ID) {
				say("%s: %s is not answered (%s%s), upstream answered it", s.State, a.ID, o.End, o.Error)
			}
		}
		switch {
		case o.End == client.RST && u.End != client.RST && u.End != client.Open && !resets(d, s):
			say("%s: reset, upstream's ended with %s", s.State, u.End)
		case o.End == client.Open && u.End != client.Open && !held(d) && !doubtful(d, s) && !unmet(d):
			say("%s: left open, upstream's ended with %s", s.State, u.End)
		case o.Cut && !u.Cut:
			say("%s: cut inside a response", s.State)
		}
		if n := len(u.Answers); n > 0 && !late && !held(d) && saysClose(d, s) && len(o.Answers) == n && u.Answers[n-1].Close && !o.Answers[n-1].Close {
			say("%s: the last response does not say close, upstream's does", s.State)
		}
	}
	bad = append(bad, contract(d, scripts, ours)...)
	switch {
	case !ours.Returned:
		say("Shutdown has not returned %v after its context", ours.Took-d.Context)
	case ours.Err != "" && theirs.Returned && theirs.Err == "" && theirs.Took < d.Context-100*ms && !held(d) && !slow(d) && !chance && !(unmet(d) && len(d.Late) > 0) && !has(d, func(s client.Script) bool { return doubtful(d, s) }):
		say("Shutdown: %s, upstream nil after %v", ours.Err, theirs.Took)
	case ours.Took > d.Context+time.Second:
		say("Shutdown took %v of a context of %v", ours.Took, d.Context)
	}
	if ours.Serving && !theirs.Serving && !closing(d) {
		say("Serve has not returned, upstream's has")
	}
	if ours.Listening && !theirs.Listening && !closing(d) {
		say("the port is open still, upstream's is not")
	}
	if ours.Account != "" {
		say("the account does not add up: %s", ours.Account)
	}
	return bad
}

// contract is what the copy promises whatever upstream does.
func contract(d draw.Draw, scripts []client.Script, ours draw.Result) (bad []string) {
	say := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	for i, s := range scripts {
		o := ours.Outcomes[i]
		if leaves(s) {
			continue
		}
		closed := false
		for _, id := range o.Sent {
			executed := slices.Contains(ours.Executed, id)
			if executed && !o.Answered(id) && ours.Err == "" && o.End != client.Open {
				say("%s: %s was executed, and not answered (%s%s)", s.State, id, o.End, o.Error)
			}
			if executed && closed && !o.Answered(id) {
				say("%s: %s was executed after a response that said close", s.State, id)
			}
			for _, a := range o.Answers {
				closed = closed || a.ID == id && a.Close
			}
			if slices.Contains(ours.DoneFirst, id) && wellAfter(d, s, id) && o.Answered(id) && ours.Err == "" {
				say("%s: RequestCtx.Done was closed before %s began, after the stop", s.State, id)
			}
		}
	}
	if ours.Err != "" && cooperative(d, scripts) {
		say("Shutdown: %s, with nothing to wait for", ours.Err)
	}
	return bad
}

// cooperative says that nothing in a draw holds a stop for longer than the contract.
func cooperative(d draw.Draw, scripts []client.Script) bool {
	if d.Context < time.Second || d.Server.Concurrency > 0 || d.Server.MaxConnsPerIP > 0 || d.Server.OnPhase > time.Second || d.Server.Certificate > 500*ms || d.Server.ConnState > 0 {
		return false
	}
	for _, name := range d.Conn {
		if name != "counting" && name != "value" && name != "hidden" && name != "nil" && name != "buffered" {
			return false
		}
	}
	for _, s := range scripts {
		if doubtful(d, s) {
			return false
		}
		if (len(d.Conn) > 0 || slices.Contains(d.Listener, "limit")) && !begins(s) {
			return false // its Read cannot be interrupted: it has five seconds, as with upstream
		}
		if (s.State == "uploading" || s.State == "in the head") && !finishes(s) {
			return false // what it began before the stop may take what ReadTimeout allows
		}
	}
	return !slices.Contains(d.Listener, "slow-close") && !slices.Contains(d.Listener, "stuck-close")
}

// finishes says whether a client sends all of what it began before the stop.
func finishes(s client.Script) bool {
	for i := len(s.Steps) - 1; i >= 0; i-- {
		if len(s.Steps[i].IDs) > 0 && s.Steps[i].Op != client.Running {
			return true
		}
	}
	return false
}

// inTime leaves out what was answered after Shutdown had returned: a program ends then.
func inTime(r draw.Result, o client.Outcome) client.Outcome {
	if r.Returned {
		end := r.StopAt + int64(r.Took)
		o.Answers = slices.DeleteFunc(slices.Clone(o.Answers), func(a client.Answer) bool { return a.At > end })
	}
	return o
}

// leaves says whether a client ends its connection itself.
func leaves(s client.Script) bool {
	return slices.ContainsFunc(s.Steps, func(s client.Step) bool { return s.Op == client.Leave || s.Op == client.Reset })
}

// afterStop says whether a request was written after the stop.
func afterStop(s client.Script, id string) bool {
	stopped := s.Hello > 0
	for _, step := range s.Steps {
		stopped = stopped || step.Op == client.Stop
		if slices.Contains(step.IDs, id) && step.Op != client.Running {
			return stopped && s.State != "in the head" && s.State != "uploading"
		}
	}
	return false
}

// wellAfter says whether a request certainly began after the stop.
func wellAfter(d draw.Draw, s client.Script, id string) bool {
	if d.Server.LameDuck > 0 || !afterStop(s, id) {
		return false
	}
	if s.Hello > 0 {
		return d.Server.Certificate >= 100*ms
	}
	for _, step := range s.Steps {
		if step.Op == client.Stop {
			return step.After >= 30*ms
		}
	}
	return false
}

// begins says whether a client begins a request at all.
func begins(s client.Script) bool {
	return slices.ContainsFunc(s.Steps, func(s client.Step) bool { return s.Bytes != "" && s.Bytes != lineEnd })
}

// has says whether one of the clients is such.
func has(d draw.Draw, such func(client.Script) bool) bool {
	return slices.ContainsFunc(d.Clients, such)
}

// after says whether a client sends such bytes after the stop.
func after(s client.Script, bytes string) bool {
	stopped := false
	for _, step := range s.Steps {
		stopped = stopped || step.Op == client.Stop
		if stopped && step.Bytes == bytes {
			return true
		}
	}
	return false
}
