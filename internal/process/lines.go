package process

import (
	"bytes"
	"sync"
	"time"
)

// Lines takes what a process writes, line by line, for who talks with it: the process
// never waits for the reader. Make one with [NewLines], for Stdout of a command.
type Lines struct {
	more chan struct{} // gets a token with every line

	mu      sync.Mutex
	partial []byte
	unread  []string
	last    string
}

// NewLines returns Lines that have taken nothing.
func NewLines() *Lines { return &Lines{more: make(chan struct{}, 1)} }

// Write implements [io.Writer]. It never fails.
func (l *Lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, b...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(b), nil
		}
		l.last = string(line)
		l.unread = append(l.unread, l.last)
		l.partial = rest
		select {
		case l.more <- struct{}{}:
		default:
		}
	}
}

// Await returns the next line that is wanted; nil wants any. It drops those before it.
// It returns false if the process, whose output this is, has ended without saying it, or
// has not said it within the bound. One goroutine at a time.
func (l *Lines) Await(r *Running, bound time.Duration, wanted func(line string) bool) (line string, said bool) {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	for {
		var ended, late bool
		select {
		case <-l.more:
		case <-r.exited: // and all that it wrote is here
			ended = true
		case <-timer.C:
			late = true
		}
		for {
			line, said = l.next()
			if !said {
				break
			}
			if wanted == nil || wanted(line) {
				return line, true
			}
		}
		if ended || late {
			return "", false
		}
	}
}

func (l *Lines) next() (line string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.unread) == 0 {
		return "", false
	}
	line, l.unread = l.unread[0], l.unread[1:]
	if len(l.unread) > 0 {
		select { // for the next Await
		case l.more <- struct{}{}:
		default:
		}
	}
	return line, true
}

// Last returns the last line so far.
func (l *Lines) Last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
