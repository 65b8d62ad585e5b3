package streams

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// event is what a client says of its WebSocket: node/websocket.mjs writes it as JSON.
type event struct {
	Kind   string // open or close
	Code   int    // of the close; 1006 if no close frame came
	Echoes int
	Error  string // of what followed it

	of string // the kind of client
}

// group is a number of clients of one kind.
type group struct {
	of     string
	mu     sync.Mutex
	opened int // less those that have closed
	ends   []event
	change chan struct{} // gets a token at every event
}

func newGroup(of string) *group {
	return &group{of: of, change: make(chan struct{}, 1)}
}

func (g *group) note(e event) {
	e.of = g.of
	g.mu.Lock()
	if e.Kind == "open" {
		g.opened++
	} else {
		g.opened--
		g.ends = append(g.ends, e)
	}
	g.mu.Unlock()
	select {
	case g.change <- struct{}{}:
	default:
	}
}

// await waits until so many WebSockets are open, and have closed: a client may not know
// yet that its server has gone.
func (g *group) await(t *testing.T, open, closed int) {
	t.Helper()
	late := time.NewTimer(bound)
	defer late.Stop()
	for {
		g.mu.Lock()
		n, ended := g.opened, len(g.ends)
		g.mu.Unlock()
		if n == open && ended == closed {
			return
		}
		select {
		case <-g.change:
		case <-late.C:
			t.Fatalf("%d WebSockets of %s are open, want %d; %d have closed, want %d", n, g.of, open, ended, closed)
		}
	}
}

// pause is that of a client between two messages, retry before it connects anew.
const (
	pause = time.Second
	retry = 50 * time.Millisecond
)

// crossing is the number of messages that a client sends after it has seen the server's
// close frame, and before its own.
const crossing = 3

// goClients are clients of fasthttp/websocket, which do what node/websocket.mjs does.
func goClients(t *testing.T, clients int, urls []string) *group {
	g := newGroup("fasthttp/websocket")
	quit := make(chan struct{})
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() {
			for at := i; ; at++ {
				if conn, _, err := websocket.DefaultDialer.Dial(urls[at%len(urls)], nil); err == nil {
					g.note(event{Kind: "open"})
					g.note(talk(conn, quit))
				}
				select {
				case <-quit:
					return
				case <-time.After(retry):
				}
			}
		})
	}
	t.Cleanup(func() {
		close(quit)
		running.Wait()
	})
	return g
}

// talk sends messages and reads their echoes until the WebSocket closes.
func talk(conn *websocket.Conn, quit <-chan struct{}) event {
	defer conn.Close()
	var writing sync.Mutex
	send := func() {
		writing.Lock()
		defer writing.Unlock()
		_ = conn.WriteMessage(websocket.TextMessage, []byte("hello"))
	}
	closed := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		for {
			send()
			select {
			case <-quit:
				_ = conn.Close()
				return
			case <-closed:
				return
			case <-time.After(pause):
			}
		}
	})
	conn.SetCloseHandler(func(int, string) error {
		// For the server these have crossed its close frame.
		for range crossing {
			send()
		}
		return conn.WriteControl(websocket.CloseMessage,
			websocket.FormatCloseMessage(goingAway, ""), time.Now().Add(bound))
	})
	end := event{Kind: "close"}
	for {
		_, _, err := conn.ReadMessage()
		if err == nil {
			end.Echoes++
			continue
		}
		var closing *websocket.CloseError
		if end.Code = websocket.CloseAbnormalClosure; errors.As(err, &closing) {
			end.Code = closing.Code
		}
		break
	}
	close(closed)
	sending.Wait()
	_ = conn.NetConn().SetReadDeadline(time.Now().Add(bound))
	if _, err := conn.NetConn().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		end.Error = "after the close frame: " + errorText(err)
	}
	return end
}

func errorText(err error) string {
	if err == nil {
		return "another byte"
	}
	return err.Error()
}

// nodeClients are clients of npm's ws.
func nodeClients(t *testing.T, clients int, urls []string) *group {
	t.Helper()
	g := newGroup("ws")
	eachLine(t, "websocket.mjs", append([]string{strconv.Itoa(clients)}, urls...), func(line []byte) {
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Errorf("the client has written %q: %v", line, err)
			return
		}
		g.note(e)
	})
	return g
}

// eachLine runs a script of node/ until the test ends, and calls f with what it writes,
// a line each.
func eachLine(t *testing.T, script string, args []string, f func(line []byte)) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", append([]string{script}, args...)...)
	cmd.Dir = npm(t)
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			f(lines.Bytes())
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		<-read
		_ = cmd.Wait()
	})
}
