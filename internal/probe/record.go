package probe

import (
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Counts is what clients have counted.
type Counts struct {
	// Connections that were established, and Requests that were written on them.
	Connections int `json:"connections"`
	Requests    int `json:"requests"`
	// Answered is the number of complete responses, whatever they say.
	Answered int `json:"answered"`
	// Lost is the number of requests that were written on an established connection,
	// before a response on it said `Connection: close`, and got no complete response;
	// Ways is how: reset, closed, cut, timeout, behind, broken.
	Lost int            `json:"lost"`
	Ways map[string]int `json:"ways,omitempty"`
	// Failed is how many of the answers have a status of 500 and above, and Wrong how
	// many lack the text that was expected.
	Failed int `json:"failed"`
	Wrong  int `json:"wrong"`
	// Refused is the number of attempts to connect that failed, and Unreached how many of
	// them were not refused, but got no answer, or found no way, or no address.
	Refused   int `json:"refused"`
	Unreached int `json:"unreached"`
	// Unasked is the number of connections with bytes that answer no request, found
	// before the next one was sent.
	Unasked int `json:"unasked"`
	// Unfinished is the number of requests under way when the load ended.
	Unfinished int `json:"unfinished"`
}

// Bad is the number of requests that did not get what they should: lost, failed, or
// answered wrongly.
func (c *Counts) Bad() int { return c.Lost + c.Failed + c.Wrong }

func (c *Counts) add(d *Counts) {
	c.Connections += d.Connections
	c.Requests += d.Requests
	c.Answered += d.Answered
	c.Lost += d.Lost
	c.Failed += d.Failed
	c.Wrong += d.Wrong
	c.Refused += d.Refused
	c.Unreached += d.Unreached
	c.Unasked += d.Unasked
	c.Unfinished += d.Unfinished
	for way, n := range d.Ways {
		c.lose(way, n)
	}
}

func (c *Counts) lose(way string, n int) {
	if c.Ways == nil {
		c.Ways = map[string]int{}
	}
	c.Ways[way] += n
}

// occurrence is a request, or an attempt to connect, that went wrong.
type occurrence struct {
	what     string
	kind     Kind
	used     int // responses that the connection had given before
	sent, at time.Time
	status   int
	detail   string
	n        int // how many it stands for
}

// occurrencesAtMost is how many of them a round keeps one by one. Of those after that
// it keeps one of a sort for each crowd, a slice of time, with how many there were.
const (
	occurrencesAtMost = 5000
	crowd             = 100 * time.Millisecond
)

// sort is what a diagnosis can tell occurrences by.
type sort struct {
	what                string
	kind                Kind
	status              int
	kept, marked, early bool // on a used connection; after the mark; sent before it
	crowd               time.Duration
}

// The phases of a round.
const (
	before = iota
	during
	after
	phases
)

// recorder takes down what the clients of a round see. It is one for all of them:
// the rate of a probe is far below what its lock can take.
type recorder struct {
	mu    sync.Mutex
	begin time.Time     // of the load
	first chan struct{} // closed with the first answer
	mark  time.Time     // the instant before the signal or the command; zero before
	end   time.Time     // of the stop or the command; zero before

	counts  map[Kind]*Counts
	status  map[int]int
	latency [phases]*hdrhistogram.Histogram // in microseconds
	past    series                          // from begin, until the mark
	series  series                          // from the mark

	occurrences []occurrence
	crowds      map[sort]int   // where in the occurrences
	faults      map[string]int // what makes the counts doubtful

	// Of the requests that were sent before the mark and not answered then.
	underWayAnswered, underWayLost int
	underWayGone                   int       // of those lost, with their connections
	closings                       int       // responses after the mark that said `Connection: close`, and had not been asked to
	lively                         int       // answers between the mark and the end
	newcomer                       time.Time // when the last answer before the end came to the first request of a connection that was opened after the mark
	veteran                        time.Time // the same for connections that were opened before it

	unreached    string        // why the last one was that was not refused
	refusedSince time.Time     // since when nobody could connect; zero if somebody could
	refusedFirst time.Time     // the first refusal after the mark
	refusedFor   time.Duration // the longest time in which nobody could connect
}

// latencyAtMost bounds what the histograms can hold.
const latencyAtMost = 10 * time.Minute

func newRecorder() *recorder {
	r := &recorder{begin: time.Now(), first: make(chan struct{}), counts: map[Kind]*Counts{}, status: map[int]int{}, crowds: map[sort]int{}, faults: map[string]int{}}
	for i := range r.latency {
		r.latency[i] = hdrhistogram.New(1, latencyAtMost.Microseconds(), 3)
	}
	return r
}

// of returns the counts of a kind of clients, under the lock.
func (r *recorder) of(k Kind) *Counts {
	if r.counts[k] == nil {
		r.counts[k] = &Counts{}
	}
	return r.counts[k]
}

// place counts something into the timeline, under the lock.
func (r *recorder) place(at time.Time, column int) {
	if r.mark.IsZero() || at.Before(r.mark) {
		r.past.add(at.Sub(r.begin), column)
	} else {
		r.series.add(at.Sub(r.mark), column)
	}
}

// setMark takes the instant directly before the signal or the command.
func (r *recorder) setMark() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mark = time.Now()
	return r.mark
}

// setEnd takes the instant at which the stop or the command ended.
func (r *recorder) setEnd(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end = t
}

func (r *recorder) phase(t time.Time) int {
	switch {
	case r.mark.IsZero() || t.Before(r.mark):
		return before
	case r.end.IsZero() || t.Before(r.end):
		return during
	default:
		return after
	}
}

func (r *recorder) connected(k Kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(k).Connections++
	if !r.refusedSince.IsZero() {
		r.refusedFor = max(r.refusedFor, time.Since(r.refusedSince))
		r.refusedSince = time.Time{}
	}
}

func (r *recorder) sent(k Kind, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(k).Requests += n
}

func (r *recorder) answered(k Kind, c *connection, sent time.Time, got reply) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.of(k)
	counts.Answered++
	if len(r.status) == 0 {
		close(r.first)
	}
	r.status[got.status]++
	r.latency[r.phase(sent)].RecordValue(min(max(1, now.Sub(sent).Microseconds()), latencyAtMost.Microseconds()))
	if !r.mark.IsZero() {
		if sent.Before(r.mark) {
			r.underWayAnswered++
		}
		if r.end.IsZero() {
			r.lively++
		}
		if got.closing && k != New {
			r.closings++
		}
		switch {
		case !r.end.IsZero():
		case c.dialed.Before(r.mark):
			r.veteran = now
		case c.used == 0:
			r.newcomer = now
		}
	}
	o := occurrence{kind: k, used: c.used, sent: sent, at: now, status: got.status}
	switch {
	case got.status >= 500:
		counts.Failed++
		o.what = Failed
		r.keep(o)
		r.place(now, columnFailed)
	case !got.matches:
		counts.Wrong++
		o.what = Wrong
		r.keep(o)
		r.place(now, columnFailed)
	default:
		r.place(now, columnAnswered)
	}
}

func (r *recorder) lost(k Kind, used int, sent time.Time, way string, detail string, n int) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.of(k)
	counts.Lost += n
	counts.lose(way, n)
	if !r.mark.IsZero() && sent.Before(r.mark) {
		r.underWayLost += n
		if way == Reset || way == Closed || way == Cut {
			r.underWayGone += n
		}
	}
	for range n {
		r.keep(occurrence{what: way, kind: k, used: used, sent: sent, at: now, detail: detail})
		r.place(now, columnLost)
	}
}

func (r *recorder) keep(o occurrence) {
	o.n = 1
	if len(r.occurrences) >= occurrencesAtMost {
		from, marked := r.begin, !r.mark.IsZero()
		if marked {
			from = r.mark
		}
		s := sort{
			what: o.what, kind: o.kind, status: o.status, kept: o.used > 0,
			marked: marked, early: o.sent.Before(from), crowd: o.at.Sub(from) / crowd,
		}
		if i, ok := r.crowds[s]; ok {
			r.occurrences[i].n++
			return
		}
		r.crowds[s] = len(r.occurrences)
	}
	r.occurrences = append(r.occurrences, o)
}

// refused takes an attempt to connect that failed; since is when it began.
func (r *recorder) refused(k Kind, since time.Time, err error) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(k).Refused++
	if !errors.Is(err, syscall.ECONNREFUSED) {
		r.of(k).Unreached++
		r.unreached = err.Error()
	}
	r.place(now, columnRefused)
	if r.refusedSince.IsZero() {
		r.refusedSince = since
		if r.refusedFirst.IsZero() && !r.mark.IsZero() {
			r.refusedFirst = now
		}
	}
}

func (r *recorder) unasked(k Kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(k).Unasked++
}

func (r *recorder) unfinished(k Kind, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(k).Unfinished += n
}

// fault takes what makes the counts doubtful.
func (r *recorder) fault(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults[what]++
}

// sum returns what has been counted so far.
func (r *recorder) sum() (all Counts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.counts {
		all.add(c)
	}
	return all
}
