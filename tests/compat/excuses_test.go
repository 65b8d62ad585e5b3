package compat

import (
	"slices"
	"time"

	"github.com/fastdrain/fastdrain/tests/compat/client"
	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

// This file has what the copy is excused for, each with its reason: what is chance with
// both, and what a setting asks for.

// held says that code of the application holds a stop for longer than its context:
// OnPhase, as its author wishes, or the Close of a listener, with upstream, too.
func held(d draw.Draw) bool {
	return d.Server.OnPhase > d.Context || slices.Contains(d.Listener, "stuck-close")
}

// slow says that a Close of the application takes a good part of the context.
func slow(d draw.Draw) bool {
	return d.Context < 2*time.Second && (slices.Contains(d.Conn, "slow-close") || slices.Contains(d.Listener, "slow-close"))
}

// closing says that the Close of a listener takes all of the context, or nearly: then
// it may have returned or not.
func closing(d draw.Draw) bool {
	return held(d) || d.Context < draw.Blocking+100*ms && slices.Contains(d.Listener, "slow-close")
}

// unmet says that a handshake may take longer than the context leaves. Who comes out of
// the accept queue is then left open in it, as the context asks for, and counted;
// upstream resets it.
func unmet(d draw.Draw) bool { return d.Server.Certificate+200*ms > d.Context }

// missed says that the first request of a connection may come when half of a short
// context is over, and its window with it (docs/limits.md). Upstream closes a new
// connection with the context only.
func missed(d draw.Draw, s client.Script) bool {
	if s.State != "unused" && s.State != "in the handshake" {
		return false
	}
	at := 50 * ms
	if s.Hello > 0 {
		at += d.Server.Certificate + d.Server.ConnState
	}
	for _, step := range s.Steps {
		at += step.After
		if len(step.IDs) > 0 {
			break
		}
	}
	return at > d.Context/2-50*ms
}

// resets says that a connection is closed without lingering, as it is of an unknown
// type without CloseWrite: what its client sends after that is answered by RST, with
// upstream, too, and it is chance with which of them something does.
func resets(d draw.Draw, s client.Script) bool {
	stopped := false
	for _, step := range s.Steps {
		stopped = stopped || step.Op == client.Stop
		if stopped && (step.Bytes != "" || step.Body > 0) {
			return len(d.Conn) > 0
		}
	}
	return false
}

// saysClose says whether the last response of a client has to say close where
// upstream's does: it comes certainly after the stop, and the look before it can tell
// that no request follows. It cannot where line ends are in TLS below a wrapper: then
// the connection is closed by FIN when its window has ended.
func saysClose(d draw.Draw, s client.Script) bool {
	ends := s.State == "posting on" || after(s, lineEnd)
	if !saysNothing(s) || ends && d.TLS == draw.Below && len(d.Conn) > 0 {
		return false
	}
	for _, step := range s.Steps {
		if step.Op == client.Running || step.Op == client.Stop && step.After >= 30*ms {
			return true
		}
	}
	return false
}

// saysNothing says whether a client begins no request after the stop.
func saysNothing(s client.Script) bool {
	stopped := false
	for _, step := range s.Steps {
		stopped = stopped || step.Op == client.Stop
		begins := len(step.IDs) > 0 && s.State != "uploading" && s.State != "in the head" || step.Bytes == halfHead
		if stopped && (begins || step.Op == client.Half) {
			return false
		}
	}
	return true
}

// doubtful says that it is chance whether what a client leaves unfinished has begun
// before the stop: then it may take what ReadTimeout allows, as with upstream. With a
// lame duck upstream's stop comes before.
func doubtful(d draw.Draw, s client.Script) bool {
	if d.Server.LameDuck > 0 && s.State == "posting on" {
		return true
	}
	for _, step := range s.Steps {
		if step.Op == client.Stop && step.After < d.Server.LameDuck+min(d.Server.OnPhase, d.Context)+20*ms {
			return after(s, lineEnd) || after(s, halfHead)
		}
	}
	return false
}

// shown says whether the copy can see the accept queue below the listener. Where it
// cannot it is chance, with both, who is accepted in time.
func shown(d draw.Draw) bool {
	return !slices.Contains(d.Listener, "hidden") && !slices.Contains(d.Listener, "nil")
}

// excused says that a setting asked for a request to be lost.
func excused(d draw.Draw, s client.Script, o client.Outcome, id string) bool {
	if d.Server.FinalRead < 0 {
		// Without a window only what a look sees is served, and none goes through TLS
		// or an unknown wrapper.
		looked := d.TLS == "" && len(d.Conn) == 0
		if afterStop(s, id) || s.State == "in the head" || s.State == "uploading" || s.State == "just connected" && !looked {
			return true
		}
	}
	if unmet(d) || missed(d, s) {
		return true
	}
	// One 503 is all that a connection gets.
	return d.Server.Reject && slices.ContainsFunc(o.Answers, func(a client.Answer) bool { return a.Status == 503 })
}
