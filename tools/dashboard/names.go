package dashboard

import (
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"
)

// The metrics that the dashboard asks for. A test compares them with what the
// collector exports.
const (
	open          = "fasthttp_server_open_connections"
	connections   = "fasthttp_server_connections"
	stopSeen      = "fasthttp_server_stop_seen_connections"
	hijacked      = "fasthttp_server_hijacked_connections"
	drained       = "fasthttp_server_drained_connections_total"
	hijackedEnds  = "fasthttp_server_drained_hijacked_connections_total"
	finalRequests = "fasthttp_server_final_read_requests_total"
	late          = "fasthttp_server_late_connections_total"
	undelivered   = "fasthttp_server_undelivered_connections_total"
	accepted      = "fasthttp_server_stop_accepted_connections_total"
	phase         = "fasthttp_server_drain_phase"
	startTime     = "fasthttp_server_drain_start_timestamp_seconds"
	duration      = "fasthttp_server_drain_duration_seconds"
	listeners     = "fasthttp_server_drain_listeners"
	drains        = "fasthttp_server_drains_total"
	oldestIdle    = "fasthttp_server_oldest_idle_connection_seconds"
	acceptQueue   = "fasthttp_server_accept_queue_connections"
	acceptLimit   = "fasthttp_server_accept_queue_limit_connections"
)

// sel selects the series of a metric that the dashboard's variables choose, and
// of these the ones that match.
func sel(metric string, match ...string) string {
	return metric + "{" + strings.Join(append([]string{`job=~"$job"`, `instance=~"$instance"`}, match...), ", ") + "}"
}

// inDrain and ended select the phases of a drain under way and of one that has
// ended.
var (
	inDrain = phases(fasthttp.PhaseLameDuck, fasthttp.PhaseClosingListeners, fasthttp.PhaseDraining)
	ended   = phases(fasthttp.PhaseStopped, fasthttp.PhaseTimedOut)
)

func phases(ps ...fasthttp.DrainPhase) string {
	names := make([]string, len(ps))
	for i, p := range ps {
		names[i] = p.String()
	}
	return fmt.Sprintf(`phase=~%q`, strings.Join(names, "|"))
}

// phaseNumber is one series for each server whose value is its phase's number.
// A state timeline wants one series for each line.
func phaseNumber() string {
	var terms []string
	for p := fasthttp.PhaseLameDuck; p <= fasthttp.PhaseTimedOut; p++ {
		terms = append(terms, fmt.Sprintf("%d * %s", p, sel(phase, fmt.Sprintf("phase=%q", p))))
	}
	return "sum without (phase) (\n  " + strings.Join(terms, "\n  or ") + "\n)"
}

// neverEnded selects the drains of the last window that were seen under way,
// were never seen to end, and are not under way any more: their process was
// killed.
func neverEnded(window string) string {
	return fmt.Sprintf(`max without (phase) (max_over_time(%s[%s])) == 1
unless max without (phase) (max_over_time(%s[%s])) == 1
unless max without (phase) (%s) == 1`,
		sel(phase, inDrain), window, sel(phase, ended), window, sel(phase, inDrain))
}
