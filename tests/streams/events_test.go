package streams

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
)

// A stream of events that ends at Done loses nothing that was written, and one whose
// client came back on its connection in the window holds no drain to its end.
func TestEventStreamsEndInTime(t *testing.T) {
	restarts := 1
	if *full {
		restarts = 10
	}
	testEventStreams(t, restarts, "-grace=4s")
}

// A handler may end a stream at once that begins after the stop: its client comes back
// on another connection.
func TestEventStreamsThatDoNotBeginAfterTheStop(t *testing.T) {
	restarts := 1
	if *full {
		restarts = 10
	}
	testEventStreams(t, restarts, "-brief")
}

func testEventStreams(t *testing.T, restarts int, args ...string) {
	t.Helper()
	together(t)
	bin := build(t, "tests/streams", "./events")
	steadily(t, func(t *testing.T) []string { return tryEventStreams(t, bin, restarts, args...) })
}

func tryEventStreams(t *testing.T, bin string, restarts int, args ...string) (problems []string) {
	t.Helper()
	journal := filepath.Join(t.TempDir(), "journal")
	start := func(addr, name string) *process.Process {
		t.Helper()
		args := append([]string{"-name", name, "-journal", journal}, args...)
		p, err := process.Start(t.Context(), process.Command{Path: bin, Args: args, Addr: addr})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
		return p
	}
	server := start("", "0")
	url := "http://" + server.Addr + "/"
	got := &events{last: map[string]int{}, change: make(chan struct{}, 1)}
	agents := []string{goAgent}
	const clients = 3
	streamGo(t, clients, url, got)
	if *full {
		agents = append(agents, "eventsource", "curl")
		eachLine(t, "events.mjs", []string{fmt.Sprint(clients), url}, got.note)
		streamCurl(t, clients, url, got)
	}
	stop := func(p *process.Process) {
		t.Helper()
		took, err := p.Stop(bound)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("a stop took %v", took.Round(10*time.Millisecond))
		if log := p.Stderr(); p.Exit() != process.ExitClean || !strings.Contains(log, "drain graceful") {
			problems = append(problems, fmt.Sprintf("the server ended with %s:%s", p.Exit(), log))
		}
	}
	for i := range restarts {
		got.awaitStreams(t, fmt.Sprint(i), clients*len(agents))
		next := start(server.Addr, fmt.Sprint(i+1))
		stop(server)
		server = next
	}
	got.awaitStreams(t, fmt.Sprint(restarts), clients*len(agents))
	stop(server)
	got.awaitWritten(t, journal)
	return append(problems, got.check(t, journal, agents)...)
}

// events are those that have come, of all clients.
type events struct {
	mu     sync.Mutex
	last   map[string]int // the number of the last event, by the name of the stream
	failed error
	change chan struct{}
}

// note notes an event: the name of its stream and its number.
func (e *events) note(line []byte) {
	var name string
	var n int
	_, err := fmt.Sscanf(string(line), "%s %d", &name, &n)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err != nil:
		e.failed = fmt.Errorf("an event is %q: %w", line, err)
	case n != e.last[name]+1:
		e.failed = fmt.Errorf("event %d of stream %s came after %d", n, name, e.last[name])
	}
	e.last[name] = n
	select {
	case e.change <- struct{}{}:
	default:
	}
}

// awaitStreams waits until so many streams of a server have begun.
func (e *events) awaitStreams(t *testing.T, server string, want int) {
	t.Helper()
	late := time.NewTimer(bound)
	defer late.Stop()
	for {
		e.mu.Lock()
		n, failed := 0, e.failed
		for name := range e.last {
			if strings.HasPrefix(name, server+"-") {
				n++
			}
		}
		e.mu.Unlock()
		if failed != nil {
			t.Fatal(failed)
		}
		if n >= want {
			return
		}
		select {
		case <-e.change:
		case <-late.C:
			t.Fatalf("%d streams of server %s have begun, want %d", n, server, want)
		}
	}
}

// entry is a line of the journal: what a server has written of a stream.
type entry struct {
	name, agent  string
	written      int
	afterTheStop bool
}

func readJournal(t *testing.T, journal string) (entries []entry) {
	t.Helper()
	text, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var s entry
		if _, err := fmt.Sscanf(line, "%s %d %t %s", &s.name, &s.written, &s.afterTheStop, &s.agent); err != nil {
			t.Fatalf("the journal has the line %q: %v", line, err)
		}
		entries = append(entries, s)
	}
	return entries
}

// awaitWritten waits until the clients have read what the servers, which have ended, had
// written. What does not come in time is left to check.
func (e *events) awaitWritten(t *testing.T, journal string) {
	t.Helper()
	entries := readJournal(t, journal)
	late := time.NewTimer(bound)
	defer late.Stop()
	for {
		e.mu.Lock()
		all := e.failed != nil || !slices.ContainsFunc(entries, func(s entry) bool { return e.last[s.name] < s.written })
		e.mu.Unlock()
		if all {
			return
		}
		select {
		case <-e.change:
		case <-late.C:
			return
		}
	}
}

// check compares what has come with what the servers have written.
func (e *events) check(t *testing.T, journal string, agents []string) (problems []string) {
	t.Helper()
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	entries := readJournal(t, journal)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.failed != nil {
		problem("%v", e.failed)
	}
	streams, sum, late := 0, 0, map[string]int{}
	for _, s := range entries {
		if e.last[s.name] != s.written {
			problem("of stream %s, of %s, %d events were written and %d came", s.name, s.agent, s.written, e.last[s.name])
		}
		if agent, _, _ := strings.Cut(s.agent, "/"); s.afterTheStop {
			late[agent]++
		}
		streams, sum = streams+min(s.written, 1), sum+s.written
	}
	t.Logf("%d events of %d streams; begun after a stop: %v", sum, streams, late)
	if streams != len(e.last) {
		problem("%d streams in the journal, %d have come", streams, len(e.last))
	}
	for _, agent := range agents {
		if late[agent] == 0 {
			problem("no stream of %s began after a stop: nothing was tried", agent)
		}
	}
	return problems
}

// goAgent is the User-Agent of the client that is written in Go.
const goAgent = "net-http"

// streamGo reads streams one after the other, on the same connection if that is open.
func streamGo(t *testing.T, clients int, url string, got *events) {
	t.Helper()
	each(t, clients, func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			panic(err)
		}
		req.Header.Set("User-Agent", goAgent)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return // between the last server and the end
		}
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			data(lines.Bytes(), got)
		}
	})
}

// streamCurl has curl read two streams, the second on the connection of the first.
func streamCurl(t *testing.T, clients int, url string, got *events) {
	t.Helper()
	each(t, clients, func() {
		cmd := exec.CommandContext(t.Context(), "curl", "--silent", "--no-buffer", url, url)
		out, err := cmd.StdoutPipe()
		if err != nil {
			panic(err)
		}
		if err := cmd.Start(); err != nil {
			t.Errorf("curl: %v (apt-get install curl)", err)
			return
		}
		for lines := bufio.NewScanner(out); lines.Scan(); {
			data(lines.Bytes(), got)
		}
		_ = cmd.Wait()
	})
}

// data notes the event of a line of a stream, if it has one.
func data(line []byte, got *events) {
	if text, ok := strings.CutPrefix(string(line), "data: "); ok {
		got.note([]byte(text))
	}
}

// each runs f again and again, for each of some clients, until the test ends.
func each(t *testing.T, clients int, f func()) {
	t.Helper()
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for t.Context().Err() == nil {
				f()
				time.Sleep(retry)
			}
		})
	}
	t.Cleanup(running.Wait)
}
