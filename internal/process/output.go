package process

import (
	"bytes"
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
