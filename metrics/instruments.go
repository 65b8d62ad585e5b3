package metrics

import (
	"slices"

	"github.com/valyala/fasthttp"
)

// Kind is what a number may do from one scrape to the next.
type Kind int

const (
	// Counter only rises while the process lives. It is a counter in
	// Prometheus and an ObservableCounter in OpenTelemetry.
	Counter Kind = iota

	// Level rises and falls, and its sum over servers means something. It is a
	// gauge in Prometheus and an ObservableUpDownCounter in OpenTelemetry.
	Level

	// Gauge rises and falls, and its sum means nothing. It is a gauge in both.
	Gauge
)

// String is the kind as [Table] shows it: the type in Prometheus, and that in
// OpenTelemetry where it is another.
func (k Kind) String() string {
	switch k {
	case Counter:
		return "counter"
	case Level:
		return "gauge, up-down counter"
	case Gauge:
		return "gauge"
	}
	return "unknown"
}

// The dimension that all instruments have: the name under which a server was
// given, see [Servers].
const (
	// ServerLabel is its Prometheus label.
	ServerLabel = "server"

	// ServerAttribute is its OpenTelemetry attribute.
	ServerAttribute = "fasthttp.server.name"
)

// Instrument is a line of the table of instruments.
type Instrument struct {
	// Prometheus is the name of the metric family, OTel the name of the
	// OpenTelemetry instrument. One of them may be empty: then the other side
	// has the number in another form.
	Prometheus, OTel string

	// Kind is what the number may do.
	Kind Kind

	// Unit is the unit in UCUM, as OpenTelemetry writes it: "s", or a noun in
	// braces for a count. The Prometheus name has it as its suffix.
	Unit string

	// Help is the description, the same on both sides.
	Help string

	// Label is the Prometheus label beside [ServerLabel], Attribute the
	// OpenTelemetry attribute that says the same. Both are empty if there is
	// none.
	Label, Attribute string

	// Values are the values of Label, all of them always present. It is nil
	// where they depend on the server: the addresses of its listeners.
	Values []string

	// read calls emit for every value of Label in a snapshot, once, with an
	// empty label if there is none.
	read func(s *snapshot, emit func(label string, v float64))
}

// known returns the labels that read emits of any snapshot.
func (in Instrument) known() []string {
	if in.Label == "" {
		return []string{""}
	}
	return in.Values
}

const (
	connection = "{connection}"
	seconds    = "s"

	// helpOpen is that of two families: OpenTelemetry's exporter for
	// Prometheus gives fasthttp.server.open_connections the name of the first,
	// and a registry that has both wants one description.
	helpOpen = "Connections that the server has accepted and not yet closed, lingering ones included."
)

var (
	states   = []string{"new", "active", "idle"}
	outcomes = outcomeNames()
	results  = []string{"served", "rejected"}
	hijacked = []string{"returned", "left"}

	// strategies are those of [fasthttp.ListenerReport], best first.
	strategies = []string{"twin", "migrate", "syn_filter", "poll", "deadline", "close"}
	verdicts   = []string{fasthttp.VerdictGraceful, fasthttp.VerdictForced, fasthttp.VerdictTimedOut}
	phases     = phaseNames()
)

func outcomeNames() (names []string) {
	fasthttp.DrainOutcomes{}.Each(func(name string, _ int) { names = append(names, name) })
	return names
}

func phaseNames() []string {
	var names []string
	for p := fasthttp.PhaseServing; p <= fasthttp.PhaseTimedOut; p++ {
		names = append(names, p.String())
	}
	return names
}

// Instruments returns the table of instruments, in the order in which it is
// best read: the connections now, the drain now, the account of all drains.
func Instruments() []Instrument { return slices.Clone(instruments) }

var instruments = []Instrument{
	{
		Prometheus: "fasthttp_server_open_connections",
		Kind:       Level, Unit: connection, Help: helpOpen,
		read: one(func(s *snapshot) float64 { return float64(s.conns.Open) }),
	},
	{
		Prometheus: "fasthttp_server_connections",
		OTel:       "fasthttp.server.open_connections",
		Kind:       Level, Unit: connection, Help: helpOpen,
		Label: "state", Attribute: "http.connection.state", Values: states,
		read: each(states, func(s *snapshot) []int {
			return []int{s.conns.New, s.conns.Active, s.conns.Idle}
		}),
	},
	{
		Prometheus: "fasthttp_server_stop_seen_connections",
		OTel:       "fasthttp.server.connections.stop_seen",
		Kind:       Level, Unit: connection,
		Help: "Open connections whose serve loop has observed the stop; it rises to the open connections in a drain.",
		read: one(func(s *snapshot) float64 { return float64(s.conns.StopSeen) }),
	},
	{
		Prometheus: "fasthttp_server_hijacked_connections",
		OTel:       "fasthttp.server.connections.hijacked",
		Kind:       Level, Unit: connection,
		Help: "Hijack handlers that are running; a drain waits for them as long as Drain.Hijacked says.",
		read: one(func(s *snapshot) float64 { return float64(s.conns.Hijacked) }),
	},
	{
		Prometheus: "fasthttp_server_oldest_idle_connection_seconds",
		OTel:       "fasthttp.server.connection.oldest_idle",
		Kind:       Gauge, Unit: seconds,
		Help: "How long ago the last request of an idle connection began, of the one where that is longest; 0 if none is idle.",
		read: one(func(s *snapshot) float64 { return s.conns.OldestIdle.Seconds() }),
	},
	{
		Prometheus: "fasthttp_server_accept_queue_connections",
		OTel:       "fasthttp.server.accept_queue.connections",
		Kind:       Level, Unit: connection,
		Help:  "Connections that the kernel has completed and the server has not accepted yet; absent where the kernel does not tell.",
		Label: "listener", Attribute: "fasthttp.listener.address",
		read: eachListener(func(q acceptQueue) float64 { return float64(q.length) }),
	},
	{
		Prometheus: "fasthttp_server_accept_queue_limit_connections",
		OTel:       "fasthttp.server.accept_queue.limit",
		Kind:       Level, Unit: connection,
		Help:  "Length at which the accept queue is full and the kernel drops what comes; absent where the kernel does not tell.",
		Label: "listener", Attribute: "fasthttp.listener.address",
		read: eachListener(func(q acceptQueue) float64 { return float64(q.limit) }),
	},
	{
		Prometheus: "fasthttp_server_drain_phase",
		OTel:       "fasthttp.server.drain.phase",
		Kind:       Level, Unit: "{server}",
		Help:  "1 for the phase that the server is in, 0 for the others.",
		Label: "phase", Attribute: "fasthttp.drain.phase", Values: phases,
		read: func(s *snapshot, emit func(string, float64)) {
			for i, name := range phases {
				v := 0.0
				if s.drain.Phase == fasthttp.DrainPhase(i) {
					v = 1
				}
				emit(name, v)
			}
		},
	},
	{
		Prometheus: "fasthttp_server_drain_start_timestamp_seconds",
		Kind:       Gauge, Unit: seconds,
		Help: "Unix time at which the drain began that is under way or was the last; 0 if there was none since the server began to serve.",
		read: one(func(s *snapshot) float64 {
			if s.drain.Started.IsZero() {
				return 0
			}
			return float64(s.drain.Started.UnixMicro()) / 1e6
		}),
	},
	{
		Prometheus: "fasthttp_server_drain_duration_seconds",
		OTel:       "fasthttp.server.drain.elapsed",
		Kind:       Gauge, Unit: seconds,
		Help: "Time since the beginning of the drain that is under way, or duration of the last one; 0 if there was none since the server began to serve.",
		read: one(func(s *snapshot) float64 { return s.drain.Duration.Seconds() }),
	},
	{
		Prometheus: "fasthttp_server_drain_listeners",
		OTel:       "fasthttp.server.drain.listeners",
		Kind:       Level, Unit: "{listener}",
		Help:  "Listeners closed by the drain that is under way or was the last, by how their accept queues were emptied; with twin, migrate and syn_filter no connection is reset.",
		Label: "strategy", Attribute: "fasthttp.accept_queue.strategy", Values: strategies,
		read: each(strategies, func(s *snapshot) []int {
			counts := make([]int, len(strategies))
			for _, l := range s.drain.Listeners {
				if i := slices.Index(strategies, l.Strategy); i >= 0 {
					counts[i]++
				}
			}
			return counts
		}),
	},
	{
		Prometheus: "fasthttp_server_drains_total",
		OTel:       "fasthttp.server.drains",
		Kind:       Counter, Unit: "{drain}",
		Help:  "Drains that have ended: graceful, forced (the drain closed connections) or timed_out (the context ended first).",
		Label: "verdict", Attribute: "fasthttp.drain.verdict", Values: verdicts,
		read: each(verdicts, func(s *snapshot) []int {
			return []int{s.totals.Graceful, s.totals.Forced, s.totals.TimedOut}
		}),
	},
	{
		Prometheus: "fasthttp_server_drained_connections_total",
		OTel:       "fasthttp.server.drained_connections",
		Kind:       Counter, Unit: connection,
		Help:  "Connections of drains, by how they ended: each in exactly one way.",
		Label: "outcome", Attribute: "fasthttp.drain.outcome", Values: outcomes,
		read: each(outcomes, func(s *snapshot) []int {
			return outcomeCounts(s.totals.Outcomes)
		}),
	},
	{
		Prometheus: "fasthttp_server_stop_accepted_connections_total",
		OTel:       "fasthttp.server.stop.accepted",
		Kind:       Counter, Unit: connection,
		Help: "Connections accepted after a stop, from the accept queue or through ServeConn, instead of being reset.",
		read: one(func(s *snapshot) float64 { return float64(s.totals.Accepted) }),
	},
	{
		Prometheus: "fasthttp_server_final_read_requests_total",
		OTel:       "fasthttp.server.final_read.requests",
		Kind:       Counter, Unit: "{request}",
		Help:  "Requests that began after a stop and were answered all the same: served, or rejected with 503.",
		Label: "result", Attribute: "fasthttp.final_read.result", Values: results,
		read: each(results, func(s *snapshot) []int {
			return []int{s.totals.FinalReadServed, s.totals.FinalReadRejected}
		}),
	},
	{
		Prometheus: "fasthttp_server_late_connections_total",
		OTel:       "fasthttp.server.connections.late",
		Kind:       Counter, Unit: connection,
		Help: "Connections on which bytes arrived too late in a drain to be answered: lost requests, which clients may retry.",
		read: one(func(s *snapshot) float64 { return float64(s.totals.Late) }),
	},
	{
		Prometheus: "fasthttp_server_undelivered_connections_total",
		OTel:       "fasthttp.server.connections.undelivered",
		Kind:       Counter, Unit: connection,
		Help: "Connections whose peer had not acknowledged all bytes when their linger ended in a drain: the kernel goes on sending.",
		read: one(func(s *snapshot) float64 { return float64(s.totals.Undelivered) }),
	},
	{
		Prometheus: "fasthttp_server_drained_hijacked_connections_total",
		OTel:       "fasthttp.server.drained_hijacked_connections",
		Kind:       Counter, Unit: connection,
		Help:  "Hijacked connections of drains: those whose handlers returned in the drain, and those left at its end.",
		Label: "result", Attribute: "fasthttp.hijacked.result", Values: hijacked,
		read: each(hijacked, func(s *snapshot) []int {
			return []int{s.totals.HijackedReturned, s.totals.HijackedLeft}
		}),
	},
}

// outcomeCounts returns the counts in the order of outcomes.
func outcomeCounts(o fasthttp.DrainOutcomes) []int {
	counts := make([]int, 0, len(outcomes))
	o.Each(func(_ string, n int) { counts = append(counts, n) })
	return counts
}

// one reads a number without a label.
func one(v func(*snapshot) float64) func(*snapshot, func(string, float64)) {
	return func(s *snapshot, emit func(string, float64)) { emit("", v(s)) }
}

// each reads a number for each of the values of a label, in their order.
func each(values []string, counts func(*snapshot) []int) func(*snapshot, func(string, float64)) {
	return func(s *snapshot, emit func(string, float64)) {
		for i, n := range counts(s) {
			emit(values[i], float64(n))
		}
	}
}

// eachListener reads a number for each accept queue.
func eachListener(v func(acceptQueue) float64) func(*snapshot, func(string, float64)) {
	return func(s *snapshot, emit func(string, float64)) {
		for _, q := range s.queues {
			emit(q.listener, v(q))
		}
	}
}
