//go:build fastdrain

package main

import (
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

// set gives the server the settings that upstream has not.
func set(srv *fasthttp.Server, s draw.Server) {
	srv.Drain.Reject = s.Reject
	srv.Drain.ForceClose = s.ForceClose
	srv.Drain.LameDuck = s.LameDuck
	srv.Drain.FinalRead = s.FinalRead
	srv.Drain.Linger = s.Linger
	if s.OnPhase > 0 {
		srv.Drain.OnPhase = func(fasthttp.DrainPhase) { time.Sleep(s.OnPhase) }
	}
}

// look is what a debug page or a scrape does.
func look(srv *fasthttp.Server) {
	_ = srv.Conns()
	_ = srv.ConnStats()
	_ = srv.DrainReport()
	_ = srv.ListenerStats()
}

func account(srv *fasthttp.Server) (bad, text string) {
	r := srv.DrainReport()
	text = r.String()
	if r.Phase != fasthttp.PhaseStopped && r.Phase != fasthttp.PhaseTimedOut {
		bad = "the drain has not ended: " + text
	} else if r.Outcomes.Total() != r.OpenAtStop+r.Accepted {
		bad = text
	}
	return bad, text
}
