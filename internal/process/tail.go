package process

import (
	"strings"
	"sync"
)

// tailSize is how many bytes a [Tail] keeps.
const tailSize = 2 << 10

// Tail keeps the last 2 kB of what a process writes, for error messages. The zero value
// has kept nothing.
type Tail struct {
	mu  sync.Mutex
	buf []byte
}

// Write implements [io.Writer]. It never fails.
func (t *Tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

// Quote returns what was kept as an appendix to an error message, below a line that
// says what it is; nothing if there is nothing but space.
func (t *Tail) Quote(what string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.buf))
	if text == "" {
		return ""
	}
	return "\n" + what + ":\n" + text
}
