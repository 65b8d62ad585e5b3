package streams

import (
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// A client that answers no close frame is left alone when its time is over; its
// handler ends, and the drain.
func TestWebSocketThatDoesNotAnswer(t *testing.T) {
	together(t)
	bin := build(t, exampleFolder, ".")
	steadily(t, func(t *testing.T) []string {
		s := newSockets(t, bin, time.Millisecond)
		silent, _, err := websocket.DefaultDialer.Dial("ws://"+s.servers[0].Addr+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		s.restart(0)
		if log := s.stopped.Stderr(); !strings.Contains(log, "; 1 hijack handlers returned, 0 left") {
			s.problem("the handler of a client that does not answer has not returned:%s", log)
		}
		return s.problems
	})
}
