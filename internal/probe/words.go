package probe

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

func (d *diagnosis) markName() string {
	switch d.Mode {
	case ModeSignal:
		return d.Signal
	case ModeCommand:
		return "the begin of the command"
	default:
		return "the begin"
	}
}

func (d *diagnosis) grace() time.Duration { return duration(d.Grace * 1e3) }

// in says in how many of the stops something was seen, if not in all.
func (d *diagnosis) in(n int) string {
	if n == d.Stops {
		return ""
	}
	return fmt.Sprintf(" (in %d of %d stops)", n, d.Stops)
}

func (d *diagnosis) count(is func(*Event) bool) (n int) {
	for i := range d.Events {
		if is(&d.Events[i]) {
			n += d.Events[i].Count
		}
	}
	return n
}

// when says when events were, from the mark.
func (d *diagnosis) when(is func(*Event) bool) string {
	first, last := math.Inf(1), math.Inf(-1)
	for i := range d.Events {
		if e := &d.Events[i]; is(e) {
			first, last = min(first, e.At), max(last, e.At)
		}
	}
	switch {
	case first < 0:
		return fmt.Sprintf("from %s before %s on", short(duration(-first)), d.markName())
	case last < 1000 && d.Mode == ModeSignal:
		return fmt.Sprintf("within %s of the signal", short(duration(last)))
	default:
		return fmt.Sprintf("%s to %s after %s", short(duration(first)), short(duration(last)), d.markName())
	}
}

// ways says what was seen on the connections.
func (d *diagnosis) ways(is func(*Event) bool) string {
	seen := map[string]int{}
	for i := range d.Events {
		if e := &d.Events[i]; is(e) {
			seen[e.What] += e.Count
		}
	}
	var parts []string
	for _, way := range sortedKeys(seen) {
		parts = append(parts, fmt.Sprintf("%d %s", seen[way], map[string]string{Reset: "by RST", Closed: "by FIN"}[way]))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func duration(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// short writes a duration with as many digits as one wants to read.
func short(d time.Duration) string {
	switch abs := d.Abs(); {
	case abs == 0:
		return "0"
	case abs < 10*time.Millisecond:
		return strconv.FormatFloat(d.Seconds()*1e3, 'f', 1, 64) + " ms"
	case abs < time.Second:
		return strconv.FormatFloat(d.Seconds()*1e3, 'f', 0, 64) + " ms"
	case abs < 10*time.Second:
		return strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0") + " s"
	case abs < 2*time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 0, 64) + " s"
	default:
		return d.Round(time.Second).String()
	}
}

// some writes a count with what is counted.
func some(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
