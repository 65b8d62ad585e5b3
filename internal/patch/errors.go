package patch

import "fmt"

// Kind says what is wrong with a hunk.
type Kind string

// The kinds of HunkError.
const (
	KindNoFile        Kind = "no such file"
	KindNoDeclaration Kind = "no such declaration"
	KindNoMatch       Kind = "no match"
	KindManyMatches   Kind = "several matches"
	KindOverlap       Kind = "overlapping edits"
	KindResult        Kind = "result does not parse"
)

// HunkError says why a hunk does not apply to a version of the source.
type HunkError struct {
	Hunk *Hunk
	Kind Kind
	// Matches is how often the hunk's tokens occur, or how many loops or if
	// statements there are that its header may mean. It is of use for
	// KindNoMatch and KindManyMatches.
	Matches int
	// Other is the hunk that this one is in conflict with, for KindOverlap.
	Other *Hunk
	Msg   string
}

func newHunkError(h *Hunk, kind Kind, msg string) *HunkError {
	return &HunkError{Hunk: h, Kind: kind, Msg: msg}
}

func (e *HunkError) Error() string {
	return fmt.Sprintf("patch %q (PATCHES.md:%d): %s: %s", e.Hunk.Patch, e.Hunk.Line, e.Hunk.Key(), e.Msg)
}
