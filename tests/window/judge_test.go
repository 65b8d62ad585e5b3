//go:build linux

package window

import (
	"fmt"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/process"
)

// chance is how improbable something has to be to be no chance.
const chance = 0.001

// moreThan is the probability that of two servers that lose requests at the same
// rate, one loses so many in its stops, or more, while both together lose so many:
// each loss is then the one's with the probability of its share in the stops
// (Przyborowski and Wilenski's conditional test of two Poisson means).
func moreThan(lost, stops, othersLost, othersStops int) float64 {
	if lost == 0 {
		return 1
	}
	b := distuv.Binomial{N: float64(lost + othersLost), P: float64(stops) / float64(stops+othersStops)}
	return b.Survival(float64(lost - 1))
}

// atLeast is the probability of so many losses, or more, where a number is expected.
func atLeast(lost int, expected float64) float64 {
	if lost == 0 {
		return 1
	}
	return distuv.Poisson{Lambda: expected}.Survival(float64(lost - 1))
}

// most is how many requests the limit lets a server lose.
func (l limit) most(r *lab.Result) float64 {
	if l.of == requests {
		return l.lost * float64(r.Requests) / 1000
	}
	return l.lost * float64(r.Connections) / 1000
}

// judge says what is wrong with the patched server's results. What a limit above 0
// allows is a mean, so chance may add some to it, and so does a machine that makes
// the round trip longer than the link is: what is lost is what crosses a FIN on it.
func judge(l limit, upstream, patched *lab.Result, s *stalls) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, r := range []*lab.Result{upstream, patched} {
		if r.Exit != process.ExitClean {
			say("%s: the processes ended with %s", r.Variant, r.Exit)
		}
	}
	slower := max(1, float64(s.median())/float64(2*oneWay))
	switch most := slower * l.most(patched); {
	case l.lost == noLimit:
	case l.lost == 0 && patched.Lost > 0:
		say("lost %d of %d requests on %d connections, and not 0", patched.Lost, patched.Requests, patched.Connections)
	case l.lost > 0 && atLeast(patched.Lost, most) < chance:
		say("lost %d of %d requests on %d connections, and not %.0f", patched.Lost, patched.Requests, patched.Connections, most)
	}
	if p := moreThan(patched.Lost, patched.Stops, upstream.Lost, upstream.Stops); p < chance {
		say("lost %d in %d stops, where upstream lost %d in %d: by chance with a probability of %.2g",
			patched.Lost, patched.Stops, upstream.Lost, upstream.Stops, p)
	}
	if may := allow(l.median, s.median()); l.median > 0 && seconds(patched.Shutdown.Median) > may {
		say("a stop takes %v at the median, and not %v: timers were %v late", seconds(patched.Shutdown.Median), may, s.median())
	}
	if may := allow(longest, s.worst()); seconds(patched.Shutdown.Max) > may {
		say("a stop took %v, and not %v: timers were %v late at most", seconds(patched.Shutdown.Max), may, s.worst())
	}
	return wrong
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}
