package process

import (
	"bytes"
	"strings"
	"sync"
)

// lines takes the output of a process and keeps its last line; the first is sent
// on a channel as soon as it is complete.
type lines struct {
	first chan string // buffered

	mu      sync.Mutex
	sent    bool
	partial []byte
	final   string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, b...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(b), nil
		}
		l.final = string(line)
		l.partial = rest
		if !l.sent {
			l.sent = true
			l.first <- l.final
		}
	}
}

func (l *lines) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.final
}

// tail keeps the last bytes of what a process writes, for error messages.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 2 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

// quote returns what was kept as an appendix to an error message.
func (t *tail) quote() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.buf))
	if text == "" {
		return ""
	}
	return "\nits standard error:\n" + text
}
