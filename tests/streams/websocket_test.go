package streams

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
)

const exampleFolder = "examples/websocket"

// examples are the servers of that folder, by their names.
func examples() map[string]string {
	if *full {
		return map[string]string{"plain": ".", "fiber": "./fiber"}
	}
	return map[string]string{"plain": "."}
}

// Every WebSocket of a server that stops is told 1001, answers, and is closed without
// a reset; the process ends when the last has left, with a graceful drain.
func TestWebSocketsLeaveInOrder(t *testing.T) {
	together(t)
	clients, spread := 50, time.Second
	if *full {
		clients, spread = 500, 5*time.Second
	}
	for name, pkg := range examples() {
		t.Run(name, func(t *testing.T) {
			bin := build(t, exampleFolder, pkg)
			steadily(t, func(t *testing.T) []string {
				s := newSockets(t, bin, spread)
				s.open(clients)
				for i := range s.servers { // a rolling restart
					s.restart(i)
				}
				ends := s.ends()
				t.Logf("%d WebSockets have closed: %v", len(ends), count(ends))
				echoes := 0
				for _, e := range ends {
					echoes += e.Echoes
					if e.Code != goingAway || e.Error != "" {
						s.problem("a WebSocket of %s has ended with code %d and the error %q", e.of, e.Code, e.Error)
					}
				}
				if echoes == 0 {
					s.problem("no message came back: the WebSockets were idle")
				}
				return s.problems
			})
		})
	}
}

// The control: where Shutdown does not wait for hijack handlers the process ends under
// its clients.
func TestWebSocketsAreCutOffWithoutHijacked(t *testing.T) {
	together(t)
	clients := 50
	if *full {
		clients = 500
	}
	for name, pkg := range examples() {
		t.Run(name, func(t *testing.T) {
			s := newSockets(t, buildWithout(t, exampleFolder, pkg, "Drain.Hijacked ="), 5*time.Second)
			s.open(clients)
			s.restart(0)
			ends := count(s.ends())
			t.Logf("without Drain.Hijacked: %v %v", ends, s.problems)
			if ends["1006"] == 0 {
				t.Errorf("no WebSocket ended with 1006: %v", ends)
			}
		})
	}
}

// goingAway is a close code (RFC 6455 section 7.4.1).
const goingAway = 1001

// sockets are two servers and the clients of both.
type sockets struct {
	t       *testing.T
	bin     string
	args    []string
	servers [2]*process.Process
	stopped *process.Process // the last that was
	groups  []*group
	clients int // of each group

	problems []string
}

func (s *sockets) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

func newSockets(t *testing.T, bin string, spread time.Duration) *sockets {
	s := &sockets{t: t, bin: bin, args: []string{"-spread", spread.String(), "-grace", "10s"}}
	for i := range s.servers {
		s.servers[i] = s.start("")
	}
	return s
}

func (s *sockets) start(addr string) *process.Process {
	s.t.Helper()
	p, err := process.Start(s.t.Context(), process.Command{Path: s.bin, Args: s.args, Addr: addr})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(p.Kill)
	return p
}

// open opens as many WebSockets of each kind of client, half of them to each server.
func (s *sockets) open(clients int) {
	s.t.Helper()
	urls := []string{"ws://" + s.servers[0].Addr + "/", "ws://" + s.servers[1].Addr + "/"}
	s.groups = append(s.groups, goClients(s.t, clients, urls))
	if *full {
		s.groups = append(s.groups, nodeClients(s.t, clients, urls))
	}
	s.clients = clients
	for _, g := range s.groups {
		g.await(s.t, clients, 0)
	}
}

// restart stops a server, the first and then the second, and starts it anew on its
// address when all clients have found the other: half of them at first, and then all.
func (s *sockets) restart(i int) {
	s.t.Helper()
	old := s.servers[i]
	s.stopped = old
	took, err := old.Stop(bound)
	if err != nil {
		s.t.Fatal(err)
	}
	log := old.Stderr()
	s.t.Logf("a stop took %v:%s", took.Round(time.Millisecond), log)
	if old.Exit() != process.ExitClean || !strings.Contains(log, "drain graceful") {
		s.problem("the server ended with %s:%s", old.Exit(), log)
	}
	for _, g := range s.groups {
		g.await(s.t, s.clients, s.clients/2+i*s.clients)
	}
	s.servers[i] = s.start(old.Addr)
}

// ends are the WebSockets that have closed.
func (s *sockets) ends() (all []event) {
	for _, g := range s.groups {
		g.mu.Lock()
		all = append(all, g.ends...)
		g.mu.Unlock()
	}
	return all
}

// count counts ends by their code.
func count(ends []event) map[string]int {
	n := map[string]int{}
	for _, e := range ends {
		n[fmt.Sprint(e.Code)]++
	}
	return n
}
