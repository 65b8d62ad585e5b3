package drainhandler

import (
	"encoding/json"
	"time"

	"github.com/valyala/fasthttp"
)

// Status is what the handler shows. Its fields are those of
// [fasthttp.ConnStats], [fasthttp.DrainReport] and [fasthttp.OpenConn]; times
// are in seconds in JSON.
type Status struct {
	// Time is when the server was looked at.
	Time time.Time `json:"time"`

	// Ready is false from the beginning of a drain on.
	Ready bool `json:"ready"`

	// Phase is the phase of the drain, "serving" without one.
	Phase string `json:"phase"`

	// Connections counts the open connections.
	Connections Connections `json:"connections"`

	// Drain is the drain under way, or the last one since the server began to
	// serve; nil if there was none.
	Drain *Drain `json:"drain"`

	// Open lists open connections: those that have not seen the stop first,
	// as they are what a drain waits for, then oldest first. It ends where
	// the server's list does; Connections.Open has the whole number.
	Open []Conn `json:"open"`

	// Holders are the functions of the application that handlers are in, while a
	// drain is under way, see [fasthttp.Server.Holders].
	Holders []Holder `json:"holders,omitempty"`
}

// Holder is a function that handlers are in.
type Holder struct {
	Function   string `json:"function"`
	File       string `json:"file"`
	Line       int    `json:"line"`
	Waits      string `json:"waits_in,omitempty"`
	Goroutines int    `json:"goroutines"`
}

// Connections counts connections by their state.
type Connections struct {
	Open       int     `json:"open"`
	New        int     `json:"new"`
	Active     int     `json:"active"`
	Idle       int     `json:"idle"`
	StopSeen   int     `json:"stop_seen"`
	Hijacked   int     `json:"hijacked"`
	OldestIdle seconds `json:"oldest_idle_seconds"`
}

// Drain is the account of a drain.
type Drain struct {
	// Verdict is empty while the drain is under way.
	Verdict string    `json:"verdict"`
	Started time.Time `json:"started"`
	Elapsed seconds   `json:"elapsed_seconds"`

	// Left is the time until the drain gives up; nil if it has ended or its
	// context has no deadline.
	Left *seconds `json:"left_seconds"`

	OpenAtStop        int        `json:"open_at_stop"`
	Accepted          int        `json:"accepted"`
	Outcomes          Outcomes   `json:"outcomes"`
	FinalReadServed   int        `json:"final_read_served"`
	FinalReadRejected int        `json:"final_read_rejected"`
	Late              int        `json:"late"`
	Undelivered       int        `json:"undelivered"`
	HijackedReturned  int        `json:"hijacked_returned"`
	HijackedLeft      int        `json:"hijacked_left"`
	Listeners         []Listener `json:"listeners"`
}

// Outcomes are all of them, in the order of the report. In JSON they are one
// object with the names as its keys.
type Outcomes []Outcome

// MarshalJSON implements [json.Marshaler].
func (o Outcomes) MarshalJSON() ([]byte, error) {
	byName := map[string]int{}
	for _, outcome := range o {
		byName[outcome.Name] = outcome.Connections
	}
	return json.Marshal(byName)
}

// Outcome is how many connections of a drain ended in one way.
type Outcome struct {
	Name        string
	Connections int
}

// Listener says how a listener was closed.
type Listener struct {
	Address  string `json:"address"`
	Strategy string `json:"strategy"`
	Why      string `json:"why,omitempty"`
	Accepted int    `json:"accepted"`
	Emptied  bool   `json:"emptied"`

	// MayHaveReset says that connections may have been reset at the close.
	MayHaveReset bool `json:"may_have_reset"`
}

// Conn is an open connection.
type Conn struct {
	RemoteAddr string    `json:"remote_addr"`
	State      string    `json:"state"`
	Since      time.Time `json:"since"`
	Age        seconds   `json:"age_seconds"`
	StopSeen   bool      `json:"stop_seen"`
}

// Read takes the status of a server.
func Read(srv *fasthttp.Server) *Status {
	stats, report := srv.ConnStats(), srv.DrainReport()
	s := &Status{
		Time:  time.Now(),
		Ready: srv.Ready(),
		Phase: report.Phase.String(),
		Connections: Connections{
			Open: stats.Open, New: stats.New, Active: stats.Active, Idle: stats.Idle,
			StopSeen: stats.StopSeen, Hijacked: stats.Hijacked, OldestIdle: seconds(stats.OldestIdle),
		},
		Open: []Conn{},
	}
	conns := report.Open
	if report.Started.IsZero() {
		conns = srv.Conns()
	} else {
		s.Drain = drainOf(report)
		if s.Waits() && !report.Deadline.IsZero() {
			left := seconds(max(0, report.Deadline.Sub(s.Time)))
			s.Drain.Left = &left
		}
	}
	if s.Waits() {
		for _, h := range srv.Holders() {
			s.Holders = append(s.Holders, Holder(h))
		}
	}
	for _, c := range conns {
		s.Open = append(s.Open, Conn{
			RemoteAddr: c.RemoteAddr,
			State:      c.State.String(),
			Since:      c.Since,
			Age:        seconds(max(0, s.Time.Sub(c.Since))),
			StopSeen:   c.StopSeen,
		})
	}
	return s
}

func drainOf(r fasthttp.DrainReport) *Drain {
	d := &Drain{
		Verdict:           r.Verdict(),
		Started:           r.Started,
		Elapsed:           seconds(r.Duration),
		OpenAtStop:        r.OpenAtStop,
		Accepted:          r.Accepted,
		FinalReadServed:   r.FinalReadServed,
		FinalReadRejected: r.FinalReadRejected,
		Late:              r.Late,
		Undelivered:       r.Undelivered,
		HijackedReturned:  r.HijackedReturned,
		HijackedLeft:      r.HijackedLeft,
		Listeners:         []Listener{},
	}
	r.Outcomes.Each(func(name string, n int) {
		d.Outcomes = append(d.Outcomes, Outcome{name, n})
	})
	for _, l := range r.Listeners {
		d.Listeners = append(d.Listeners, Listener{l.Addr, l.Strategy, l.Why, l.Accepted, l.Emptied, l.MayHaveReset()})
	}
	return d
}

// Waits says that a drain is under way and waits for the connections in Open.
func (s *Status) Waits() bool { return s.Drain != nil && s.Drain.Verdict == "" }

// Blind is how many open connections have not seen the stop of the drain under
// way: they run a handler, as a rule.
func (s *Status) Blind() int {
	if !s.Waits() {
		return 0
	}
	return max(0, s.Connections.Open-s.Connections.StopSeen)
}

// More is how many open connections Open does not list.
func (s *Status) More() int { return max(0, s.Connections.Open-len(s.Open)) }
