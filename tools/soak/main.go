// Command soak stops the patched server under load again and again, built with
// the race detector, in all scenarios of the lab, and adds up what the clients
// lost. It is resumable: a run goes on from the sums in its results file, and
// writes them after each pass.
//
//	soak -results build/soak.json -stops 1000 -connections 100000 -for 30m
//
// It ends when both sums are reached or the time is up. It exits with 1 if a
// request was lost in a scenario where none may be, if a process did not exit
// with 0 (with 66 where the race detector found something), or if a handler ran
// whose request was not answered.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// mayLose are the scenarios in which a stop may cost a request: README.md
// explains these limits, and the lab judges them.
var mayLose = []string{"connect", "connect-tls"}

// sum is what all runs of a scenario have shown.
type sum struct {
	Scenario           string  `json:"scenario"`
	Stops              int     `json:"stops"`
	Connections        int     `json:"connections"`
	Requests           int     `json:"requests"`
	Lost               int     `json:"lost"`
	ExecutedUnanswered int     `json:"executed_unanswered"`
	Late               int     `json:"late"`
	Refused            int     `json:"refused"`
	SlowestStop        float64 `json:"slowest_stop_seconds"`
	// BadExits counts the passes in which a process did not exit with 0, and
	// LastBadExit says how.
	BadExits    int    `json:"bad_exits"`
	LastBadExit string `json:"last_bad_exit,omitempty"`
}

func main() {
	results := flag.String("results", "build/soak.json", "the `file` with the sums, which further runs go on from")
	stops := flag.Int("stops", 1000, "end when so many `stops` add up")
	connections := flag.Int("connections", 100_000, "and so many `connections`")
	limit := flag.Duration("for", 30*time.Minute, "end after this `time` in any case")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	if err := soak(ctx, *results, *stops, *connections, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func soak(ctx context.Context, path string, stops, connections int, limit time.Duration) error {
	sums, err := read(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// The lab's servers and the go command that builds them inherit these.
	for name, value := range map[string]string{
		"GOFLAGS": "-race",
		"GORACE":  "halt_on_error=1 exitcode=66 atexit_sleep_ms=0",
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	end := time.Now().Add(limit)
	for pass := 1; ; pass++ {
		haveStops, haveConns := total(sums)
		fmt.Printf("%d of %d stops, %d of %d connections, %v left\n",
			haveStops, stops, haveConns, connections, time.Until(end).Round(time.Second))
		if haveStops >= stops && haveConns >= connections || time.Now().After(end) {
			break
		}
		if sums, err = onePass(ctx, sums, path+".pass"); err != nil {
			return err
		}
		if err := write(path, sums); err != nil {
			return err
		}
	}
	return report(os.Stdout, sums)
}

// onePass stops the server twice in each scenario and adds the figures.
func onePass(ctx context.Context, sums []sum, file string) ([]sum, error) {
	defer os.Remove(file)
	var details bytes.Buffer
	err := lab.Run(ctx, lab.Options{
		Root: ".", Variants: []string{lab.Patched}, Rounds: 2, JSONFile: file, Out: &details, Progress: io.Discard,
	})
	// A pass is too short to be judged; the sums are.
	if err != nil && !errors.Is(err, lab.ErrLimit) {
		return sums, fmt.Errorf("%w\n%s", err, details.Bytes())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return sums, err
	}
	var results []lab.Result
	if err := json.Unmarshal(text, &results); err != nil {
		return sums, err
	}
	for _, r := range results {
		sums = add(sums, r)
		if r.Lost > 0 && !slices.Contains(mayLose, r.Scenario) {
			fmt.Printf("%s lost %d:\n%s", r.Scenario, r.Lost, details.Bytes())
		}
	}
	return sums, nil
}

func add(sums []sum, r lab.Result) []sum {
	i := slices.IndexFunc(sums, func(s sum) bool { return s.Scenario == r.Scenario })
	if i < 0 {
		i = len(sums)
		sums = append(sums, sum{Scenario: r.Scenario})
	}
	s := &sums[i]
	s.Stops += r.Stops
	s.Connections += r.Connections
	s.Requests += r.Requests
	s.Lost += r.Lost
	s.ExecutedUnanswered += r.ExecutedUnanswered
	s.Late += r.Late
	s.Refused += r.Refused
	s.SlowestStop = max(s.SlowestStop, r.Shutdown.Max)
	if r.Exit != fmt.Sprintf("0 (%d)", r.Stops) && r.Exit != "0" {
		s.BadExits++
		s.LastBadExit = r.Exit
	}
	return sums
}

func total(sums []sum) (stops, connections int) {
	for _, s := range sums {
		stops += s.Stops
		connections += s.Connections
	}
	return stops, connections
}

// report writes the sums and says what must not be.
func report(w io.Writer, sums []sum) error {
	fmt.Fprintf(w, "%-12s %6s %12s %9s %5s %11s %5s %8s %s\n", "scenario", "stops", "connections", "requests", "lost", "unanswered", "late", "refused", "slowest stop")
	var wrong []error
	for _, s := range sums {
		fmt.Fprintf(w, "%-12s %6d %12d %9d %5d %11d %5d %8d %.2f s\n",
			s.Scenario, s.Stops, s.Connections, s.Requests, s.Lost, s.ExecutedUnanswered, s.Late, s.Refused, s.SlowestStop)
		if s.Lost > 0 && !slices.Contains(mayLose, s.Scenario) {
			wrong = append(wrong, fmt.Errorf("%s: lost %d requests (limit 0)", s.Scenario, s.Lost))
		}
		if s.ExecutedUnanswered > 0 {
			wrong = append(wrong, fmt.Errorf("%s: %d requests executed and not answered (limit 0)", s.Scenario, s.ExecutedUnanswered))
		}
		if s.BadExits > 0 {
			wrong = append(wrong, fmt.Errorf("%s: in %d passes a process did not exit with 0, last: %s", s.Scenario, s.BadExits, s.LastBadExit))
		}
	}
	return errors.Join(wrong...)
}

func read(path string) (sums []sum, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &sums); err != nil {
		return nil, fmt.Errorf("%s is not the results of a soak (remove it to begin anew): %w", path, err)
	}
	return sums, nil
}

func write(path string, sums []sum) error {
	text, err := json.MarshalIndent(sums, "", "  ")
	if err != nil {
		return err
	}
	return tree.WriteFile(path, append(text, '\n'), 0o644)
}
