package probe

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress says what happens: in a terminal a line that changes, elsewhere a line now
// and then.
type progress struct {
	out      io.Writer
	terminal bool
	where    string // the round

	mu   sync.Mutex
	open bool // a line that changes is there
	stop chan struct{}
	gone chan struct{}
}

const (
	// terminalWidth is what a terminal has at least, most often.
	terminalWidth = 80
	// tick is how often the line in a terminal changes.
	tick = 250 * time.Millisecond
	// firstLine is when the first figures are written elsewhere, and laterLine how often
	// the next.
	firstLine, laterLine = time.Second, 10 * time.Second
)

func newProgress(out io.Writer, terminal bool) *progress {
	if out == nil {
		out = io.Discard
	}
	return &progress{out: out, terminal: terminal}
}

// say writes a line.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.out, format+"\n", args...)
}

func (p *progress) clear() {
	if p.open {
		fmt.Fprint(p.out, "\r\033[K")
		p.open = false
	}
}

// round begins a round.
func (p *progress) round(n, rounds, i, subjects int, r *Result) {
	p.where = ""
	if rounds > 1 {
		p.where = fmt.Sprintf("%d of %d: ", n, rounds)
	}
	if subjects > 1 {
		p.where = r.Name + ", " + p.where
	}
}

// watch shows the figures of a round until unwatch.
func (p *progress) watch(l *load) {
	p.stop, p.gone = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(p.gone)
		next := firstLine
		if p.terminal {
			next = tick
		}
		for {
			select {
			case <-p.stop:
				return
			case <-time.After(next):
			}
			c := l.sum()
			text := fmt.Sprintf("%s%s of load: %d answered, %d lost, %d refused", p.where,
				short(time.Since(l.begin)), c.Answered, c.Lost, c.Refused)
			if !p.terminal {
				p.say("%s", text)
				next = laterLine
				continue
			}
			// A line that is longer than the terminal's could not be cleared.
			if line := []rune(text); len(line) >= terminalWidth {
				text = "..." + string(line[len(line)-terminalWidth+4:])
			}
			p.mu.Lock()
			p.clear()
			fmt.Fprint(p.out, text)
			p.open = true
			p.mu.Unlock()
		}
	}()
}

func (p *progress) unwatch() {
	close(p.stop)
	<-p.gone
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// done says what the rounds so far have shown.
func (p *progress) done(r *Result) {
	stopped := ""
	if len(r.took) > 0 {
		stopped = fmt.Sprintf("it took %s; ", short(duration(r.took[len(r.took)-1])))
	}
	p.say("%s%sin all %d answered, %d lost, %d refused", p.where, stopped, r.Answered, r.Lost, r.Refused)
}
