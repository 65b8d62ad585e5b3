package observe

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/tools/observe"
)

// number is a series that is to have a value.
type number struct {
	expr, label string
	want        map[string]float64
}

// single is a series without a label of its own.
func single(expr string, want float64) number {
	return number{expr, "", map[string]float64{"": want}}
}

// check compares numbers with what Prometheus has at a time.
func check(t *testing.T, p *observe.Prometheus, at time.Time, numbers []number) {
	t.Helper()
	for _, n := range numbers {
		got, err := p.At(t.Context(), n.expr, n.label, at)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got, n.want) {
			t.Errorf("Prometheus says %s = %v; want %v", n.expr, got, n.want)
		}
	}
}

// connections are the numbers of a snapshot.
func connections(server string, st fasthttp.ConnStats) []number {
	sel := func(metric string) string { return fmt.Sprintf("%s{server=%q}", metric, server) }
	return []number{
		single(sel("fasthttp_server_open_connections"), float64(st.Open)),
		{sel("fasthttp_server_connections"), "state", map[string]float64{
			"new": float64(st.New), "active": float64(st.Active), "idle": float64(st.Idle),
		}},
		single(sel("fasthttp_server_stop_seen_connections"), float64(st.StopSeen)),
		single(sel("fasthttp_server_hijacked_connections"), float64(st.Hijacked)),
	}
}

// account are the numbers of the report of a server's only drain. wrap makes the
// expression of a selector.
func account(server string, r fasthttp.DrainReport, wrap string) []number {
	sel := func(metric string) string {
		return fmt.Sprintf(wrap, fmt.Sprintf("%s{server=%q}", metric, server))
	}
	drains := map[string]float64{"graceful": 0, "forced": 0, "timed_out": 0}
	drains[r.Verdict()] = 1
	phase := map[string]float64{}
	for p := fasthttp.PhaseServing; p <= fasthttp.PhaseTimedOut; p++ {
		phase[p.String()] = 0
	}
	phase[r.Phase.String()] = 1
	o := r.Outcomes
	return []number{
		{sel("fasthttp_server_drain_phase"), "phase", phase},
		{sel("fasthttp_server_drains_total"), "verdict", drains},
		{sel("fasthttp_server_drained_connections_total"), "outcome", map[string]float64{
			"closed_after_response": float64(o.ClosedAfterResponse),
			"closed_idle":           float64(o.ClosedIdle),
			"rejected":              float64(o.Rejected),
			"client_closed":         float64(o.ClientClosed),
			"hijacked":              float64(o.Hijacked),
			"error":                 float64(o.Error),
			"forced":                float64(o.Forced),
			"left_open":             float64(o.LeftOpen),
		}},
		{sel("fasthttp_server_final_read_requests_total"), "result", map[string]float64{
			"served": float64(r.FinalReadServed), "rejected": float64(r.FinalReadRejected),
		}},
		{sel("fasthttp_server_drained_hijacked_connections_total"), "result", map[string]float64{
			"returned": float64(r.HijackedReturned), "left": float64(r.HijackedLeft),
		}},
		single(sel("fasthttp_server_late_connections_total"), float64(r.Late)),
		single(sel("fasthttp_server_stop_accepted_connections_total"), float64(r.Accepted)),
		single(sel("fasthttp_server_drain_duration_seconds"), r.Duration.Seconds()),
		single(sel("fasthttp_server_drain_start_timestamp_seconds"), float64(r.Started.UnixMicro())/1e6),
	}
}
