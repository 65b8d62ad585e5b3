package patch

import "strings"

// Set is the patches of one PATCHES.md, in the order of the file.
type Set struct {
	// Name is the name of the file, as it is used in errors.
	Name string
	// Text is the file.
	Text    []byte
	Patches []*Patch
	// Watched are the declarations that the Watch lines name.
	Watched []Watch
}

// Watch is a declaration that no patch touches, but our code relies on.
type Watch struct {
	// File and Decl are as in a [Hunk].
	File, Decl string
	// Line is the line in PATCHES.md, from 1.
	Line int
}

// Key is the name of the declaration, as [Hunk.Key].
func (w Watch) Key() string { return w.File + " " + w.Decl }

// Patch is one named change: a section of PATCHES.md.
type Patch struct {
	Name string
	// Line is the line of the section's heading, from 1.
	Line int
	// Why says what the patch is for, DropWhen what has to happen upstream for
	// it to become superfluous. Neither is empty.
	Why, DropWhen string
	// ProvedBy holds the names of the tests that fail without the patch. There
	// is at least one.
	ProvedBy []string
	Hunks    []*Hunk
}

// Hunk is a change of one declaration.
type Hunk struct {
	// Patch is the name of the patch that the hunk belongs to.
	Patch string
	// Line is the line of the hunk's header in PATCHES.md, from 1.
	Line int
	// File is the path of the patched file in the module, with slashes.
	File string
	// Decl names the declaration as the pin does, without a leading keyword:
	// "(*Server).Serve", "acceptConn", "RequestCtx".
	Decl string
	// Keyword is the keyword that stood before the name, or empty: "type",
	// "var", "const", "func". The declaration must be of that kind.
	Keyword string
	// Drop says that the whole declaration goes, with its doc comment.
	Drop bool
	// Place says where in the declaration the lines belong, if the header does,
	// and is empty otherwise. All lines are '+' lines then.
	Place Place
	// If are the tokens between the braces of a scope if{…}, and empty without
	// one: the lines are looked for in the head of the one if statement whose
	// head holds these tokens.
	If string
	// Lines are the hunk's lines. There are none if Drop is set.
	Lines []Line
}

// Place is a place in a declaration that no tokens are needed for.
type Place string

// The places, as hunk headers write them.
const (
	// PlaceStart is the beginning of a function's body.
	PlaceStart Place = "start"
	// PlaceEnd is before the brace that closes a struct type or a function's
	// body.
	PlaceEnd Place = "end"
	// PlaceBeforeLoop and PlaceAfterLoop are directly before and behind the one
	// for statement among the statements of a function's body; what is nested
	// does not count.
	PlaceBeforeLoop Place = "before loop"
	PlaceAfterLoop  Place = "after loop"
)

// Line is a line of a hunk.
type Line struct {
	// Op is '-' for removed tokens, ' ' for context, '+' for inserted text.
	Op byte
	// Text is the line without its Op and without the end of line.
	Text string
	// N is the line's number in PATCHES.md, from 1.
	N int
}

// Key is the name of the declaration that the hunk touches, as it is used in
// the pin: "server.go (*Server).Serve".
func (h *Hunk) Key() string {
	return strings.TrimSpace(h.File + " " + h.Decl)
}

// Files are the files that the patches touch, each once, in the order of
// PATCHES.md.
func (s *Set) Files() []string {
	var files []string
	seen := map[string]bool{}
	for _, p := range s.Patches {
		for _, h := range p.Hunks {
			if !seen[h.File] {
				seen[h.File] = true
				files = append(files, h.File)
			}
		}
	}
	return files
}

// Hunks are all hunks of all patches, in the order of PATCHES.md.
func (s *Set) Hunks() []*Hunk {
	var hunks []*Hunk
	for _, p := range s.Patches {
		hunks = append(hunks, p.Hunks...)
	}
	return hunks
}
