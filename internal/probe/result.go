package probe

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Ways of a probe to have a mark, [Result.Mode].
const (
	ModeSignal  = "signal"  // the mark is the instant before the signal
	ModeCommand = "command" // the mark is the begin of the command
	ModeTime    = "time"    // the mark is the begin of the load
)

// Result is what all rounds on one subject have shown.
type Result struct {
	Name string `json:"name"`
	Mode string `json:"mode"`
	// Signal is the name of the one that stops the service, and Grace how long it had
	// before it was killed.
	Signal string  `json:"signal,omitempty"`
	Grace  float64 `json:"grace_seconds,omitempty"`
	// Stops is the number of rounds.
	Stops int `json:"stops"`
	// Checks is the number of requests that were sent before the load, to look whether
	// it makes sense. They are counted nowhere else.
	Checks int `json:"checks"`

	Counts
	Kinds map[Kind]*Counts `json:"kinds"`
	// LostBefore is how many of the lost got lost before the mark.
	LostBefore int `json:"lost_before"`
	// LostKept is how many got lost on connections that had been used before, without
	// those that were under way at the mark, and LostFirst on new ones.
	LostKept  int `json:"lost_kept"`
	LostFirst int `json:"lost_first"`
	// UnderWay is how many requests had been sent and not been answered at the mark,
	// UnderWayLost how many of those got lost.
	UnderWay     int `json:"under_way"`
	UnderWayLost int `json:"under_way_lost"`
	// Closings is how many responses after the mark said `Connection: close` on
	// connections that the client would have kept.
	Closings int `json:"closings"`
	// Status counts the answers by their status.
	Status map[int]int `json:"status"`

	// RefusedFrom is when the first attempt to connect was refused, in milliseconds
	// from the mark, of all rounds; RefusedFor for how long nobody could connect, at most.
	RefusedFrom float64 `json:"refused_from_ms"`
	RefusedFor  float64 `json:"refused_for_ms"`

	// Latency is that of the answers, by when the request was sent: before the mark,
	// until the process or the command had ended, and after that.
	Latency struct {
		Before Latency `json:"before"`
		During Latency `json:"during"`
		After  Latency `json:"after"`
	} `json:"latency"`

	// Took is the time from the mark to the end of the process, or of the command.
	Took Spread `json:"took_ms"`
	// Exits is how the processes, or the commands, ended, with how often.
	Exits map[string]int `json:"exits,omitempty"`
	// Strays is in how many rounds processes outlived the one that was stopped.
	Strays int `json:"strays,omitempty"`
	// Newcomer is when the last new connection was served that was opened after the
	// mark, in milliseconds from there.
	Newcomer float64 `json:"newcomer_ms"`
	// Veteran is when the last answer came on a connection that was opened before it.
	Veteran float64 `json:"veteran_ms"`

	Timeline []Slice `json:"timeline"`
	// Events are the requests that went wrong, one by one up to some thousands of a
	// round; one for all of a sort in 100 ms after that. Refused attempts are in the
	// timeline only.
	Events    []Event     `json:"events"`
	Diagnoses []Diagnosis `json:"diagnoses"`
	Notes     []string    `json:"notes,omitempty"`
	// Faults is what makes the counts doubtful, with how often.
	Faults map[string]int `json:"faults,omitempty"`

	underWayGone int  // requests under way that were lost with their connections
	interrupted  bool // in the last round
	took         []float64
	hist         [phases]*hdrhistogram.Histogram
	line         timeline
	byTerm       int    // processes that the signal itself ended, at once
	unhandled    int    // those of them that had no handler for it for certain
	unreached    string // why the last attempt to connect failed that was not refused
	lively       int    // answers between a mark and the end of the process or the command
}

// Event is a request that went wrong.
type Event struct {
	Stop   int    `json:"stop"` // the round, from 1
	What   string `json:"what"`
	Client Kind   `json:"client"`
	// Used is how many responses the connection had given before.
	Used int `json:"used"`
	// Sent and At are when it was sent and when it went wrong, in milliseconds from
	// the mark.
	Sent   float64 `json:"sent_ms"`
	At     float64 `json:"at_ms"`
	Status int     `json:"status,omitempty"`
	Detail string  `json:"detail,omitempty"`
	// Count is how many requests it stands for.
	Count int `json:"count"`
}

// Latency is in milliseconds.
type Latency struct {
	Answers int64   `json:"answers"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	P999    float64 `json:"p999_ms"`
	Max     float64 `json:"max_ms"`
}

// Spread is the least, the middle and the greatest of some times.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

func newResult(s Subject, o *Options) *Result {
	r := &Result{Name: s.Name(), Mode: ModeTime, Kinds: map[Kind]*Counts{}, Status: map[int]int{}, Exits: map[string]int{}, Faults: map[string]int{}, Events: []Event{}}
	switch {
	case len(s.Command) > 0:
		r.Mode, r.Signal, r.Grace = ModeSignal, signalName(o.Signal), o.Grace.Seconds()
	case o.During != "":
		r.Mode = ModeCommand
	}
	for i := range r.hist {
		r.hist[i] = hdrhistogram.New(1, latencyAtMost.Microseconds(), 3)
	}
	return r
}

// add adds a round whose clients have ended; stopped is the process that was stopped,
// or the command that ran, if any has ended by itself.
func (r *Result) add(rec *recorder, stopped *service) {
	r.Stops++
	switch {
	case rec.mark.IsZero():
		rec.mark = time.Now()
		r.interrupted = true
		r.Notes = append(r.Notes, "the last round was interrupted before its "+r.stop())
	case stopped == nil && r.Mode != ModeTime:
		r.interrupted = true
		r.Notes = append(r.Notes, "the last round was interrupted in its "+r.stop())
	}
	since := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return millis(t.Sub(rec.mark))
	}
	for k, c := range rec.counts {
		if r.Kinds[k] == nil {
			r.Kinds[k] = &Counts{}
		}
		r.Kinds[k].add(c)
		r.Counts.add(c)
	}
	for code, n := range rec.status {
		r.Status[code] += n
	}
	for what, n := range rec.faults {
		r.Faults[what] += n
	}
	for i, h := range rec.latency {
		r.hist[i].Merge(h)
	}
	r.line.add(rec.past, rec.series, rec.mark.Sub(rec.begin))
	for _, o := range rec.occurrences {
		e := Event{
			Stop: r.Stops, What: o.what, Client: o.kind, Used: o.used, Status: o.status, Detail: o.detail, Count: o.n,
			Sent: since(o.sent), At: since(o.at),
		}
		r.Events = append(r.Events, e)
		if !e.lost() {
			continue
		}
		switch {
		case e.At < 0:
			r.LostBefore += o.n
		case e.Sent < 0: // in UnderWayLost
		case e.Used > 0:
			r.LostKept += o.n
		default:
			r.LostFirst += o.n
		}
	}
	r.UnderWay += rec.underWayAnswered + rec.underWayLost
	r.UnderWayLost += rec.underWayLost
	r.underWayGone += rec.underWayGone
	r.Closings += rec.closings
	r.lively += rec.lively
	r.unreached = cmp.Or(rec.unreached, r.unreached)
	if from := since(rec.refusedFirst); from > 0 && (r.RefusedFrom == 0 || from < r.RefusedFrom) {
		r.RefusedFrom = from
	}
	if !rec.refusedSince.IsZero() { // to the end of the round
		rec.refusedFor = max(rec.refusedFor, time.Since(rec.refusedSince))
	}
	r.RefusedFor = max(r.RefusedFor, millis(rec.refusedFor))
	r.Newcomer = max(r.Newcomer, since(rec.newcomer))
	r.Veteran = max(r.Veteran, since(rec.veteran))
	if stopped == nil {
		return
	}
	r.took = append(r.took, millis(stopped.ended.Sub(rec.mark)))
	r.Took = spreadOf(r.took)
	r.Exits[stopped.exit()]++
	if stopped.strays {
		r.Strays++
	}
	if r.Mode != ModeSignal {
		return
	}
	if stopped.exit() != endedBy+r.Signal || stopped.strays {
		return // with strays it was not the service that got the signal
	}
	if stopped.looked && !stopped.handles {
		r.byTerm++
		r.unhandled++
		return
	}
	// A program may drain, and then let the signal end it.
	drained := rec.lively > 0
	if underWay := rec.underWayAnswered + rec.underWayLost; underWay > 0 {
		drained = 2*rec.underWayLost < underWay
	}
	if !drained {
		r.byTerm++
	}
}

// stop is what a round shows, in a word.
func (r *Result) stop() string {
	return map[string]string{ModeSignal: "stop", ModeCommand: "command", ModeTime: "time"}[r.Mode]
}

// lost reports whether the event is a lost request.
func (e *Event) lost() bool { return e.What != Failed && e.What != Wrong }

// complete works out what needs all rounds.
func (r *Result) complete() {
	for i, l := range []*Latency{&r.Latency.Before, &r.Latency.During, &r.Latency.After} {
		h := r.hist[i]
		ms := func(quantile float64) float64 { return float64(h.ValueAtQuantile(quantile)) / 1e3 }
		*l = Latency{Answers: h.TotalCount(), P50: ms(50), P99: ms(99), P999: ms(99.9), Max: float64(h.Max()) / 1e3}
	}
	r.Timeline = r.line.slices(slicesAtMost)
	r.Diagnoses = diagnose(r)
}

// slicesAtMost is how many slices a timeline has at most: with what stands beside them
// they have to fit into 80 columns.
const slicesAtMost = 50

func spreadOf(times []float64) Spread {
	sorted := slices.Sorted(slices.Values(times))
	mid := len(sorted) / 2
	median := sorted[mid]
	if len(sorted)%2 == 0 {
		median = (sorted[mid-1] + sorted[mid]) / 2
	}
	return Spread{sorted[0], median, sorted[len(sorted)-1]}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// sortedKeys returns the keys, the one with the highest count first.
func sortedKeys[K ~string](m map[K]int) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int {
		if m[a] != m[b] {
			return m[b] - m[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
}
