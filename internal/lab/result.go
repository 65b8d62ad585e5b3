package lab

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// Result is what all rounds of one scenario on one variant have shown: a row of
// the table, and an object of the JSON file.
type Result struct {
	Scenario string `json:"scenario"`
	Variant  string `json:"variant"`

	// Stops is the number of rounds, each of which stopped the server once.
	Stops int `json:"stops"`
	// Connections that the clients opened.
	Connections int `json:"connections"`
	// Requests that the clients wrote.
	Requests int `json:"requests"`
	// Lost is the number of requests that were written on an established
	// connection and got no complete response.
	Lost int `json:"lost"`
	// ExecutedUnanswered is the number of requests whose handler ran, by the
	// server's count, less the number of complete responses received. Rounds in
	// which the server had to be killed, and could not say, are not in it.
	ExecutedUnanswered int `json:"executed_unanswered"`
	// Unfinished is the number of handshakes that were under way when the patched
	// server closed its listener, as it says itself: what their clients send is reset.
	Unfinished int `json:"unfinished"`
	// Late is the number of connections on which the server saw bytes after its
	// last look, as it says itself. Of the other variants 0 says nothing: only the
	// patched server counts them.
	Late int `json:"late"`
	// Refused is the number of connection attempts that were refused, which
	// costs a client nothing.
	Refused int `json:"refused"`
	// Shutdown is the time from SIGTERM to the exit of the process.
	Shutdown Spread `json:"shutdown_seconds"`
	// Exit tells how the processes ended: "0" if all of them did so with exit
	// code 0, else each way to end with its count, such as "0 (9), killed (1)".
	Exit string `json:"exit"`

	shutdown []time.Duration
	exits    counter
	stderr   string
	tally    tally
}

// Spread is the least, the middle and the greatest of some durations, in
// seconds, and the least that 99 of 100 do not exceed: below 100 of them that is the
// greatest. The middle of an even number is the mean of the two in the middle.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

func newResult(c cell) *Result {
	return &Result{Scenario: c.scenario.name, Variant: c.variant}
}

// add adds a round.
func (r *Result) add(one *round) {
	r.Stops++
	r.tally.add(&one.tally)
	r.Connections = r.tally.connections
	r.Requests = r.tally.requests
	r.Lost = r.tally.lost
	r.Refused = r.tally.refused
	if one.executedKnown {
		r.ExecutedUnanswered += one.executed - one.answered
	}
	r.Late += one.late
	r.Unfinished += one.unfinished
	r.shutdown = append(r.shutdown, one.shutdown)
	r.Shutdown = spreadOf(r.shutdown)
	r.exits.count(one.exit, 1)
	r.Exit = exits(r.exits)
	if one.stderr != "" {
		r.stderr = one.stderr
	}
}

// Losses says what the losses looked like, a line each after a line end.
func (r *Result) Losses() string { return r.tally.losses.list() }

// failedExits is the number of rounds that did not end with exit code 0.
func (r *Result) failedExits() int { return r.Stops - r.exits[process.ExitClean] }

func exits(c counter) string {
	ways := c.byCount()
	if len(ways) == 1 {
		return ways[0]
	}
	for i, way := range ways {
		ways[i] = fmt.Sprintf("%s (%d)", way, c[way])
	}
	return strings.Join(ways, ", ")
}

func spreadOf(durations []time.Duration) Spread {
	if len(durations) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(durations))
	mid := len(sorted) / 2
	median := sorted[mid]
	if len(sorted)%2 == 0 {
		median = (sorted[mid-1] + sorted[mid]) / 2
	}
	return Spread{
		Min:    sorted[0].Seconds(),
		Median: median.Seconds(),
		P99:    sorted[(99*len(sorted)+99)/100-1].Seconds(),
		Max:    sorted[len(sorted)-1].Seconds(),
	}
}

// writeJSON writes the results as an array to a file, which is complete or not
// there.
func writeJSON(path string, results []*Result) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return tree.WriteFile(path, append(text, '\n'), 0o644)
}
