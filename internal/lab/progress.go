package lab

import (
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
)

// reporter shows the progress of a run: a line for each row of the coming
// table, which updates in a terminal. Elsewhere it is written when the row is
// complete, and now and then before.
type reporter struct {
	written  time.Time // the last line, where there is no terminal
	out      io.Writer
	terminal bool
	bars     progress.Writer
	trackers map[*Result]*progress.Tracker
}

// quietAtMost is for how long a run that is not watched in a terminal may say
// nothing.
const quietAtMost = 10 * time.Second

func newReporter(out io.Writer, terminal bool) *reporter {
	return &reporter{out: out, terminal: terminal, written: time.Now()}
}

// step announces something that takes a moment.
func (p *reporter) step(format string, args ...any) {
	fmt.Fprintf(p.out, format+"\n", args...)
	p.written = time.Now()
}

// begin begins the rows of one scenario.
func (p *reporter) begin(rows []*Result, rounds int) {
	if !p.terminal {
		return
	}
	p.bars = progress.NewWriter()
	p.bars.SetOutputWriter(p.out)
	p.bars.SetAutoStop(false)
	p.bars.SetTrackerLength(16)
	p.bars.SetTrackerPosition(progress.PositionRight)
	p.bars.SetUpdateFrequency(100 * time.Millisecond)
	p.bars.SetStyle(progress.StyleBlocks)
	p.bars.Style().Visibility.ETA = false
	p.bars.Style().Visibility.Percentage = false
	p.bars.Style().Visibility.Time = false
	p.trackers = map[*Result]*progress.Tracker{}
	for _, r := range rows {
		t := &progress.Tracker{Message: describe(r), Total: int64(rounds), DeferStart: true}
		p.trackers[r] = t
		p.bars.AppendTracker(t)
	}
	go p.bars.Render()
}

// update shows a row after one more round.
func (p *reporter) update(r *Result, rounds int) {
	if !p.terminal {
		if r.Stops == rounds || time.Since(p.written) > quietAtMost {
			fmt.Fprintln(p.out, describe(r))
			p.written = time.Now()
		}
		return
	}
	t := p.trackers[r]
	t.UpdateMessage(describe(r))
	t.Increment(1)
}

// end ends the rows of one scenario, complete or not.
func (p *reporter) end() {
	if !p.terminal || p.bars == nil {
		return
	}
	p.bars.Stop()
	for p.bars.IsRenderInProgress() {
		time.Sleep(10 * time.Millisecond) // the library has no event for it
	}
	p.bars = nil
}

func describe(r *Result) string {
	if r.Stops == 0 {
		return fmt.Sprintf("%-11s %-8s %34s", r.Scenario, r.Variant, "")
	}
	return fmt.Sprintf("%-11s %-8s %3d stops of %6v, lost %6d", r.Scenario, r.Variant, r.Stops, seconds(r.Shutdown.Median), r.Lost)
}
