package probe

import "time"

// The columns of a timeline.
const (
	columnAnswered = iota
	columnLost
	columnRefused
	columnFailed
	columns
)

// grain is the finest slice of a timeline.
const grain = 10 * time.Millisecond

// series counts by slices of a grain. Its zero value is empty.
type series [][columns]int32

func (s *series) add(offset time.Duration, column int) {
	n := int(max(0, offset) / grain)
	for len(*s) <= n {
		*s = append(*s, [columns]int32{})
	}
	(*s)[n][column]++
}

// Slice is a part of a timeline. Its times are in milliseconds from the mark.
type Slice struct {
	From     float64 `json:"from_ms"`
	To       float64 `json:"to_ms"`
	Answered int     `json:"answered"`
	Lost     int     `json:"lost"`
	Refused  int     `json:"refused"`
	Failed   int     `json:"failed"` // answered with 500 and above, or wrongly
}

// timeline is the sum of some rounds by slices of a grain round their marks.
type timeline struct {
	past   [][columns]int // from the mark back
	future [][columns]int // from the mark on
}

// add adds a round, whose mark is so long after the beginning of its past.
func (t *timeline) add(past, future series, mark time.Duration) {
	add := func(to *[][columns]int, n int, from [columns]int32) {
		for len(*to) <= n {
			*to = append(*to, [columns]int{})
		}
		for c, count := range from {
			(*to)[n][c] += int(count)
		}
	}
	for i, counts := range past {
		middle := time.Duration(i)*grain + grain/2
		add(&t.past, int(max(0, mark-middle)/grain), counts)
	}
	for i, counts := range future {
		add(&t.future, i, counts)
	}
}

// steps are the lengths of slices that are easy to read.
var steps = []time.Duration{
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// slices cuts the timeline into so many slices at most, in which the mark is a limit.
func (t *timeline) slices(most int) (cut []Slice) {
	var n int
	var step time.Duration
	for _, step = range steps {
		n = int(step / grain)
		if (len(t.past)+n-1)/n+(len(t.future)+n-1)/n <= most {
			break
		}
	}
	ms := step.Seconds() * 1e3
	place := func(i int, counts [][columns]int) {
		s := Slice{From: float64(i) * ms, To: float64(i+1) * ms}
		for _, c := range counts {
			s.Answered += c[columnAnswered]
			s.Lost += c[columnLost]
			s.Refused += c[columnRefused]
			s.Failed += c[columnFailed]
		}
		cut = append(cut, s)
	}
	for i := (len(t.past) + n - 1) / n; i > 0; i-- {
		place(-i, t.past[(i-1)*n:min(i*n, len(t.past))])
	}
	for i := 0; i*n < len(t.future); i++ {
		place(i, t.future[i*n:min((i+1)*n, len(t.future))])
	}
	return cut
}
