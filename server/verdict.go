package fasthttp

// The verdicts of [DrainReport.Verdict], as metrics, traces, logs and the debug page
// show them. They stand here and nowhere else.
const (
	// VerdictGraceful: every connection closed in its own time.
	VerdictGraceful = "graceful"

	// VerdictForced: the drain closed some, see [DrainOutcomes].
	VerdictForced = "forced"

	// VerdictTimedOut: the context ended first.
	VerdictTimedOut = "timed_out"
)

// Verdict is the drain in one word, one of [VerdictGraceful], [VerdictForced] and
// [VerdictTimedOut], or "" while it is under way or if there was none.
func (r DrainReport) Verdict() string {
	switch {
	case r.Outcomes.Forced > 0 && r.Phase >= PhaseStopped:
		return VerdictForced
	case r.Phase == PhaseTimedOut:
		return VerdictTimedOut
	case r.Phase == PhaseStopped:
		return VerdictGraceful
	}
	return ""
}
