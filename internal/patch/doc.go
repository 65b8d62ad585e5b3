// Package patch applies PATCHES.md, a patch set that people read, to the
// source of a Go module.
//
// A patch names declarations and tokens, not lines: the removed and the context
// lines of a hunk are one sequence of Go tokens that has to occur exactly once
// in one declaration of one file, or in the head of one if statement of it; or a
// hunk names a place in the declaration that needs no tokens. Layout and
// comments therefore cannot break a hunk, and code that merely looks similar
// elsewhere in the file cannot attract it.
//
// The package guarantees:
//
//   - Every hunk is matched against the pristine source, so the order of the
//     patches in the file means nothing.
//   - A hunk applies at exactly one place, or it is an error that says how many
//     places there were. Two hunks that would edit the same bytes are an error.
//   - Bytes that no hunk touches are those of the pristine file (which gofmt
//     leaves as they are if they were formatted before).
//   - What comes out parses as Go, or it is an error.
//
// Of what a patch depends on, [Result] has hashes: of the declaration, of the
// statements that hold or enclose what is matched, and of declarations that are
// only watched. A change of the last two may make a patch mean something else
// although it applies.
//
// [Parse] describes the format, [Set.Apply] what is done with it.
package patch
