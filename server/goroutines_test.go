package fasthttp

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// goroutinesOfServer returns the goroutines that run code of this package, by
// their ids. The one that refreshes the date runs for good and is left out, and
// so are those that run tests.
func goroutinesOfServer() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	found := map[string]string{}
	for _, stack := range strings.Split(string(buf), "\n\n") {
		head, _, _ := strings.Cut(stack, " [")
		if !strings.Contains(stack, "valyala/fasthttp.") ||
			strings.Contains(stack, "fasthttp.updateServerDate") ||
			strings.Contains(stack, "testing.tRunner") {
			continue
		}
		found[head] = stack
	}
	return found
}

// awaitGoroutinesOfServer waits until only those goroutines are left that were
// there before.
func awaitGoroutinesOfServer(t *testing.T, before map[string]string) {
	t.Helper()
	for end := time.Now().Add(drainBound); ; time.Sleep(5 * time.Millisecond) {
		left := ""
		for id, stack := range goroutinesOfServer() {
			if _, ok := before[id]; !ok {
				left = stack
			}
		}
		if left == "" {
			return
		}
		if time.Now().After(end) {
			t.Errorf("a goroutine is left after the test:\n%s", left)
			return
		}
	}
}

// onTheWay counts the connections that have been accepted and have no worker yet.
func onTheWay(s *Server) (n int) {
	s.connTable().each(func(dc *drainConn) {
		if dc.since.Load() == 0 {
			n++
		}
	})
	return n
}
