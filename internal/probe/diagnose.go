package probe

import "fmt"

// Diagnosis is what the counts mean.
type Diagnosis struct {
	// ID is the heading on the page about diagnoses.
	ID string `json:"id"`
	// Problem is false if it is nothing to be mended.
	Problem bool   `json:"problem"`
	Text    string `json:"text"`
	// Do says what to do about it.
	Do   string `json:"do,omitempty"`
	Link string `json:"link"`
}

// page is where the diagnoses are explained.
const page = "https://github.com/fastdrain/fastdrain/blob/main/docs/probe.md#"

// The diagnoses.
const (
	Ignored     = "the-signal-is-ignored"
	Lingering   = "kept-connections-hold-it"
	Overdue     = "it-does-not-end"
	Unhandled   = "nothing-handles-the-signal"
	ShellOnly   = "the-signal-reaches-a-shell"
	AtOnce      = "it-ends-at-once"
	UnderWay    = "requests-under-way-were-lost"
	Kept        = "lost-on-kept-connections"
	First       = "lost-on-new-connections"
	CutShort    = "responses-were-cut"
	InPipeline  = "lost-in-a-pipeline"
	Unanswered  = "no-answer-in-time"
	NotHTTP     = "no-http"
	Earlier     = "lost-without-a-stop"
	Gateway     = "a-proxy-answered"
	ServerError = "it-answered-with-errors"
	WrongAnswer = "wrong-answers"
	OutOfTurn   = "answers-that-nobody-asked-for"
	ExitCode    = "it-ended-with-an-error"
	NobodyThere = "nobody-listens"
	AllAnswered = "nothing-was-lost"
)

// diagnosis collects the diagnoses of a result.
type diagnosis struct {
	*Result
	found []Diagnosis
}

func (d *diagnosis) say(id string, problem bool, do, format string, args ...any) {
	d.found = append(d.found, Diagnosis{ID: id, Problem: problem, Text: capital(fmt.Sprintf(format, args...)), Do: capital(do), Link: page + id})
}

// diagnose says what the counts mean, the cause of most of it first.
func diagnose(r *Result) []Diagnosis {
	d := &diagnosis{Result: r}
	atOnce := false
	if r.Mode == ModeSignal {
		atOnce = d.end()
	}
	d.losses(atOnce)
	d.answers()
	// Not where there was no stop, but an interruption.
	if r.Bad() == 0 && r.Unasked == 0 && (r.Mode == ModeTime || len(r.took) > 0) {
		what := "the stops"
		switch r.Mode {
		case ModeCommand:
			what = "the command"
		case ModeTime:
			what = "the load"
		}
		do := ""
		switch {
		case r.Mode == ModeCommand && r.Exits["exit code 0"] < len(r.took):
			do = "the command failed: did it replace anything?"
		case r.Mode == ModeSignal && r.Stops < 20:
			do = "a stop can be lucky: more of them, such as -rounds 20, are a better proof"
		}
		unfinished := ""
		if r.Unfinished > 0 {
			unfinished = fmt.Sprintf("; %d had no answer yet when the load ended", r.Unfinished)
		}
		d.say(AllAnswered, false, do, "nothing was lost of %d requests; %d were under way at the beginning of %s%s", r.Requests, r.UnderWay, what, unfinished)
	}
	d.refusals()
	return d.found
}

// losses is about requests that got no answer.
func (d *diagnosis) losses(atOnce bool) {
	if n := d.LostBefore; n > 0 {
		d.say(Earlier, true, "look at the server's timeouts for idle connections, and at whether it fails under load",
			"%s lost before %s: that has nothing to do with the stop", some(n, "request was", "requests were"), d.markName())
	}
	// By what the connection was to the client, and by what was seen on it.
	late := func(e *Event) bool { return e.lost() && e.At >= 0 && !d.byKill(e) }
	gone := func(e *Event) bool { return late(e) && (e.What == Reset || e.What == Closed) }
	if n := d.count(func(e *Event) bool { return late(e) && e.What == Cut }); n > 0 {
		d.say(CutShort, true, "wait for the responses that are being written before the process ends",
			"%s cut in the middle, %s", some(n, "response was", "responses were"), d.when(func(e *Event) bool { return late(e) && e.What == Cut }))
	}
	underWay := d.count(func(e *Event) bool { return gone(e) && e.Sent < 0 })
	kept := func(e *Event) bool { return gone(e) && e.Used > 0 }
	apart := d.Mode == ModeSignal && !atOnce && d.abandons()
	if apart {
		d.say(UnderWay, true, "wait for the requests that are under way before the connections are closed, and give that time enough",
			"%d of %d requests that were under way at the signal got no answer, %s", underWay, d.UnderWay, d.when(func(e *Event) bool { return gone(e) && e.Sent < 0 }))
		kept = func(e *Event) bool { return gone(e) && e.Used > 0 && e.Sent >= 0 }
	}
	if n := d.count(kept); n > 0 {
		if atOnce {
			d.say(Kept, true, "", "%s lost on kept connections, %s", some(n, "request was", "requests were"), d.when(kept))
		} else {
			d.say(Kept, true, "let the next response of each connection say `Connection: close`, and close only what stays silent; a Go service on fasthttp gets that from fastdrain",
				"%s lost on connections that were kept, %s%s: the server closes them under its clients", some(n, "request was", "requests were"), d.when(kept), d.ways(kept))
		}
	}
	first := func(e *Event) bool {
		return gone(e) && e.Used == 0 && (e.Sent >= 0 || d.Mode != ModeSignal || underWay*2 < d.UnderWay)
	}
	if n := d.count(first); n > 0 {
		do := "accept what the kernel has accepted before the listener is closed"
		if atOnce {
			do = ""
		}
		d.say(First, true, do,
			"%s before the first request was answered, %s%s: the accept queue, or connections that had just been accepted", some(n, "new connection ended", "new connections ended"), d.when(first), d.ways(first))
	}
	for _, other := range []struct{ what, id, do, text string }{
		{Behind, InPipeline, "say `Connection: close` with the last response of what has arrived", "%d pipelined requests were behind a response that said `Connection: close`, %s"},
		{Timeout, Unanswered, "look for what the server, or its proxy, waits for", "%d requests got no answer in time, %s"},
		{Broken, NotHTTP, "look at what the server sends", "%d answers were no HTTP/1.1, %s"},
	} {
		is := func(e *Event) bool { return late(e) && e.What == other.what }
		if n := d.count(is); n > 0 {
			d.say(other.id, true, other.do, other.text, n, d.when(is))
		}
	}
}

// answers is about answers that are wrong.
func (d *diagnosis) answers() {
	is := func(codes ...int) func(*Event) bool {
		return func(e *Event) bool {
			if e.What != Failed {
				return false
			}
			gateway := e.Status == 502 || e.Status == 504
			return gateway == (len(codes) > 0)
		}
	}
	if n := d.count(is(502, 504)); n > 0 {
		d.say(Gateway, true, "see what was lost behind the proxy, with a probe of the service itself; and what the proxy tries again",
			"%s answered with 502 or 504, %s: a proxy got no answer from the service", some(n, "request was", "requests were"), d.when(is(502, 504)))
	}
	if n := d.count(is()); n > 0 {
		d.say(ServerError, true, "if the service refuses on purpose while it stops, the next request has to reach another instance; else look into its log",
			"%s answered with a status of 500 or above, %s", some(n, "request was", "requests were"), d.when(is()))
	}
	if d.Wrong > 0 {
		d.say(WrongAnswer, true, "look at what was answered instead", "%d answers did not hold the text that was expected", d.Wrong)
	}
	if d.Unasked > 0 {
		d.say(OutOfTurn, true, "send nothing on an idle connection but FIN: a client takes it for the answer to its next request (RFC 9112, section 9.2)",
			"on %d connections the server sent what nobody had asked for", d.Unasked)
	}
}

// refusals is about connections that nobody took.
func (d *diagnosis) refusals() {
	if d.RefusedFor == 0 {
		return
	}
	for_ := short(duration(d.RefusedFor))
	if 2*d.Unreached > d.Refused {
		d.say(NobodyThere, d.Mode != ModeSignal, "look at what stands before the service, and whether it accepts what it listens for: no answer to an attempt is a full accept queue, or a packet that is dropped",
			"nobody could connect for %s, and most attempts were not refused (%s)", for_, d.unreached)
		return
	}
	if d.Mode == ModeSignal {
		d.say(NobodyThere, false, "in production somebody else has to listen meanwhile: start the next one first, or take this one out of the load balancer before",
			"connections were refused for %s, from %s after %s on: as here one process ends before the next one listens", for_, short(duration(d.RefusedFrom)), d.Signal)
		return
	}
	d.say(NobodyThere, true, "let the next one listen before the listener of this one is closed, and take it out of the load balancer before",
		"connections were refused for %s, from %s after %s on: the listener closes before the next one listens", for_, short(duration(d.RefusedFrom)), d.markName())
}
