//go:build fastdrain

package main

import (
	"fmt"

	"github.com/valyala/fasthttp"
)

// configure sets what only the patched server understands.
func configure(srv *fasthttp.Server, s settings) {
	srv.Drain = fasthttp.Drain{LameDuck: s.lameDuck, FinalRead: s.finalRead, Linger: s.linger, Reject: s.reject}
	if s.onPhase != nil {
		srv.Drain.OnPhase = func(p fasthttp.DrainPhase) { s.onPhase(p.String()) }
	}
}

// listenersClosed says whether the drain under way has closed the listeners.
func listenersClosed(srv *fasthttp.Server) bool {
	return srv.DrainReport().Phase >= fasthttp.PhaseDraining
}

// openConns is how many connections there are, without those that were hijacked and
// whose loop has ended.
func openConns(srv *fasthttp.Server) int { return srv.ConnStats().Open }

// account says what is wrong with the account of the last drain.
func account(srv *fasthttp.Server) (wrong []string) {
	report, stats := srv.DrainReport(), srv.ConnStats()
	if have, want := report.Outcomes.Total(), report.OpenAtStop+report.Accepted; have != want {
		wrong = append(wrong, fmt.Sprintf("the account does not add up: %d outcomes, %d connections: %v", have, want, report))
	}
	if stats.Open != 0 || len(report.Open) != 0 {
		wrong = append(wrong, fmt.Sprintf("connections are left in the table: %+v", stats))
	}
	totals := srv.DrainTotals()
	if have := totals.Graceful + totals.Forced + totals.TimedOut; have != totals.Drains {
		wrong = append(wrong, fmt.Sprintf("%d drains, and %d verdicts", totals.Drains, have))
	}
	return wrong
}

// outcomes shows the account where a fault is about it.
func (r *rig) sayOutcomes() {
	r.srv.DrainReport().Outcomes.Each(func(name string, n int) {
		if n > 0 {
			r.say("account: %d %s", n, name)
		}
	})
}
