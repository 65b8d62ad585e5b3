package dashboard

import "github.com/valyala/fasthttp"

// connectionPanels show what the connections are doing.
func connectionPanels() []Panel {
	byState := stacked(lines("Connections by state",
		"What the open connections are doing. New: no byte of a request yet. Active: from a request's first byte to the end of its response, and the lingering close of a drain. Idle: waiting for the next request.",
		"short", 8, query("sum by (state) ("+sel(connections)+")", "{{state}}")))
	byState = color(color(color(byState, "new", "purple"), "active", "orange"), "idle", "blue")

	seen := lines("Have seen the stop",
		"Open connections of the servers that drain, and of these the ones whose serve loop has observed the stop. Zero in normal life; in a drain both fall to zero. The gap between the lines is what has not noticed yet: running handlers, as a rule. In a lame duck nobody has to have noticed.",
		"short", 8,
		query("sum("+sel(open)+" and ignoring (phase) "+sel(phase, inDrain)+" == 1) or vector(0)", "open in a drain"),
		query("sum("+sel(stopSeen)+")", "have seen the stop"))
	seen = color(color(seen, "open in a drain", "blue"), "have seen the stop", "orange", Property{ID: "custom.fillOpacity", Value: 40})

	queue := lines("Accept queue",
		"Connections that the kernel has completed and the server has not accepted yet, and the most that fit. A client that meets a full queue waits a second and more. Linux only.",
		"short", 8,
		query("sum by (instance) ("+sel(acceptQueue)+")", "{{instance}}"),
		query("min("+sel(acceptLimit)+")", "limit (smallest)"))
	queue = color(queue, "limit (smallest)", "red",
		Property{ID: "custom.fillOpacity", Value: 0},
		Property{ID: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{10, 10}}})

	return []Panel{
		color(lines("Open connections",
			"Connections that the servers have accepted and not yet closed, hijacked ones excluded.",
			"short", 8, query("sum("+sel(open)+")", "open")), "open", "blue"),
		byState,
		seen,
		queue,
		thin(lines("Oldest idle connection",
			"How long ago the last request of an idle connection began, of the one where that is longest. It is bounded by IdleTimeout and the longest request; far above the idle time-out of the proxy in front it shows a leak.",
			"s", 8, query("max by (instance) ("+sel(oldestIdle)+")", "{{instance}}"))),
		lines("Hijacked connections",
			"Hijack handlers that are running (WebSockets, tunnels). A drain tells them to leave, and waits for them as long as Drain.Hijacked says.",
			"short", 8, query("sum by (instance) ("+sel(hijacked)+")", "{{instance}}")),
	}
}

// drainPanels show the stops of the dashboard's range.
func drainPanels() []Panel {
	verdicts := whole(stats("Verdicts",
		"How the drains of the range ended. Graceful: every connection closed in its own time. Forced: the drain closed some. Timed out: the context ended first. Never ended: seen under way, and then gone without an end: the process was killed, or its last figures were not scraped."+extrapolated,
		"short", 8,
		now("sum by (verdict) (increase("+sel(drains)+"[$__range]))", "{{verdict}}"),
		now("count(\n"+neverEnded("$__range")+"\n) or vector(0)", "never ended")))
	red := steps("green", 0.5, "red")
	verdicts = byThreshold(verdicts, red)
	verdicts = color(verdicts, fasthttp.VerdictGraceful, "green")

	outcomes := whole(bars("How connections ended",
		"Every connection of a drain ends in exactly one way. Forced and left open should be zero; error counts malformed requests, time-outs and failed writes."+extrapolated,
		"short", 8, now("sum by (outcome) (increase("+sel(drained)+"[$__range]))", "{{outcome}}")))
	outcomes.FieldConfig.Defaults.Color = Color{Mode: "fixed", FixedColor: "blue"}
	fasthttp.DrainOutcomes{Error: 1, Forced: 1, LeftOpen: 1}.Each(func(name string, bad int) {
		if bad > 0 {
			outcomes = color(outcomes, name, "red")
		}
	})

	final := whole(stats("Requests of final reads",
		"Requests that began after the stop and that a plain stop would have lost: served, or refused with an explicit 503.",
		"short", 8, now("sum by (result) (increase("+sel(finalRequests)+"[$__range]))", "{{result}}")))
	final.GridPos.H = 4
	final.FieldConfig.Defaults.Color = Color{Mode: "fixed", FixedColor: "green"}

	lost := byThreshold(whole(stats("Late connections",
		"Connections on which bytes arrived after the last look: requests that HTTP/1.1 gives no way to save. Their clients got no answer and may retry. A longer final-read window makes it smaller.",
		"short", 8, now("sum(increase("+sel(late)+"[$__range]))", "late"))), steps("green", 0.5, "orange"))
	lost.GridPos.H = 4

	took := byThreshold(bars("Duration of each drain",
		"From the call of Shutdown to the drain's end, for each server that drained in the range. Compare it with the grace period of the platform.",
		"s", 8, now("max by (instance, server) (max_over_time("+sel(duration)+"[$__range])) > 0", "{{instance}} {{server}}")),
		steps("green", 25.0, "orange", 55.0, "red"))
	took.FieldConfig.Defaults.NoValue = "no drain"

	timeline := phaseLine("Phases",
		"Where each server is in its life. A line that ends in stopped ended well; one that ends in draining was killed.",
		24, query(phaseNumber(), "{{instance}} {{server}}"))
	timeline.GridPos.H = 6

	return []Panel{timeline, verdicts, outcomes, took, final, lost, accountPanel(), strategyPanel(), hijackedPanel()}
}

// hijackedPanel is how many hijacked connections have left in time.
func hijackedPanel() Panel {
	p := whole(stats("Hijacked connections of drains",
		"WebSockets and the like that were open at a stop or opened since. Returned: their handlers were done by the drain's end. Left: they were not, and were cut off if the process ended then; a longer Drain.Hijacked waits for them.",
		"short", 8, now("sum by (result) (increase("+sel(hijackedEnds)+"[$__range]))", "{{result}}")))
	p = byThreshold(p, steps("green", 0.5, "orange"))
	p = color(p, "returned", "green")
	p.GridPos.H = 4
	return p
}

// accountPanel is what the account says of the connections taken since the stop.
func accountPanel() Panel {
	p := whole(stats("Accepted since the stop",
		"Connections that were in the kernel's accept queue at the stop, or came before the listener was closed: accepted and served, where closing the listener would have reset them.",
		"short", 8, now("sum(increase("+sel(accepted)+"[$__range]))", "accepted")))
	p.FieldConfig.Defaults.Color = Color{Mode: "fixed", FixedColor: "blue"}
	p.GridPos.H = 4
	return p
}

// strategyPanel is how the listeners of the last drains were closed.
func strategyPanel() Panel {
	p := whole(stats("Listeners closed",
		"Listeners of the drains of the range, by how their accept queues were emptied. With twin, migrate and syn_filter no connection is reset; with poll, deadline and close some may have been. The log line of the drain says why.",
		"short", 8, now("sum by (strategy) (max_over_time("+sel(listeners)+"[$__range])) > 0", "{{strategy}}")))
	p.FieldConfig.Defaults.Color = Color{Mode: "fixed", FixedColor: "blue"}
	p.FieldConfig.Defaults.NoValue = "no drain"
	p.GridPos.H = 4
	return p
}

// trafficPanels show how the load moves from the servers that stop to the others.
func trafficPanels() []Panel {
	rate := func(metric string, match ...string) string {
		return "sum(rate(" + sel(metric, match...) + "[$__rate_interval]))"
	}
	events := lines("Around the stop",
		"Per second: requests of final reads that were served and refused, connections taken from the accept queue, connections that were late, and connections that were closed before their peer had acknowledged all.",
		"cps", 8,
		query(rate(finalRequests, `result="served"`), "final reads served"),
		query(rate(finalRequests, `result="rejected"`), "final reads rejected"),
		query(rate(accepted), "accepted since the stop"),
		query(rate(late), "late"),
		query(rate(undelivered), "not acknowledged"))
	events = color(events, "late", "red")

	inPhase := stacked(lines("Servers in each phase",
		"How many servers are in which phase. During a release the serving ones should not fall below what carries the load.",
		"short", 8, query("sum by (phase) ("+sel(phase)+") > 0", "{{phase}}")))
	for p := fasthttp.PhaseServing; p <= fasthttp.PhaseTimedOut; p++ {
		inPhase = color(inPhase, p.String(), phaseLook[p])
	}

	return []Panel{
		stacked(lines("Connections of each instance",
			"Open connections by instance: those of an instance that stops should appear at the others.",
			"short", 8, query("sum by (instance) ("+sel(open)+")", "{{instance}}"))),
		events,
		inPhase,
	}
}
