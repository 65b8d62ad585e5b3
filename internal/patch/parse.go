package patch

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ParseError is a place in PATCHES.md that does not follow the format.
type ParseError struct {
	File string
	// Line is the line in File, from 1.
	Line int
	// Patch is the section that the line belongs to, empty outside of one.
	Patch string
	Msg   string
}

func (e *ParseError) Error() string {
	if e.Patch == "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d: patch %q: %s", e.File, e.Line, e.Patch, e.Msg)
}

// Parse reads a patch set. name is used in errors only.
//
// The text is Markdown. Each section under a heading of the third level is a
// patch and the heading is its name; everything else is prose for the reader.
// A patch says "Why:", "Drop when:" and "Proved by:" (which names at least one
// test), and has one or more fenced blocks of the language diff:
//
//	@@ server.go (*Server).Serve @@
//	 context that stays
//	-tokens that go
//	+text that comes
//
// A block may hold several hunks, each begun by its header. The header names a
// file and a declaration: a method "(*T).M" or "(T).M" (also for a generic T),
// a function, a type, a variable or a constant by its name, with its keyword
// before it or without, or "import" for the import declarations.
//
// The '-' and context lines are a sequence of tokens that occurs exactly once
// in the declaration. In it, "..." stands for any run of tokens in which the
// brackets are balanced, none too: the shortest that lets the rest match, not
// out of the brackets that it begins in and not over the end of a statement. It
// stands between other tokens, not at the ends.
//
// Behind the declaration the header may say where in it the hunk belongs:
//
//	drop         the declaration is removed; the hunk has no lines
//	start        '+' lines at the beginning of a function's body
//	end          '+' lines before the brace that closes a struct type or a
//	             function's body
//	before loop  '+' lines directly before the one for statement that is not
//	             nested in another statement of a function's body
//	after loop   '+' lines directly behind it
//	if{tokens}   the lines are looked for only in the head (what stands between
//	             "if" and the block) of the one if statement whose head holds
//	             the tokens
//
// Outside of patches, a line "Watch: server.go acceptConn, (*Server).setState"
// names declarations of a file that no patch touches, but our code relies on.
//
// The error joins a [ParseError] for each mistake.
func Parse(name string, text []byte) (*Set, error) {
	p := &reader{set: &Set{Name: name, Text: text}, seen: map[string]int{}}
	for i, line := range strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n") {
		p.line(i+1, line)
	}
	if p.fence != "" {
		p.errorf(p.fenceLine, "the fenced block is never closed")
		p.endHunk()
	}
	p.endPatch()
	if len(p.set.Patches) == 0 && len(p.errs) == 0 {
		p.errorf(1, "no patch: a patch is a section under a heading of the third level (###)")
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p.set, nil
}

type reader struct {
	set  *Set
	errs []error
	seen map[string]int // patch name -> line

	patch *Patch
	prose strings.Builder // of the patch

	fence     string // what closes the block, empty outside of one
	fenceLine int
	diff      bool // the block is a diff
	hunk      *Hunk
}

func (p *reader) errorf(line int, format string, args ...any) {
	e := &ParseError{File: p.set.Name, Line: line, Msg: fmt.Sprintf(format, args...)}
	if p.patch != nil {
		e.Patch = p.patch.Name
	}
	p.errs = append(p.errs, e)
}

var (
	headingRE = regexp.MustCompile(`^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$`)
	fenceRE   = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})[ \t]*([^ \t`]*)")
	hunkRE    = regexp.MustCompile(`^@@[ \t]+(.+?)[ \t]+@@[ \t]*$`)
)

func (p *reader) line(n int, line string) {
	if p.fence != "" {
		if t := strings.TrimSpace(line); strings.HasPrefix(t, p.fence) && strings.Trim(t, p.fence[:1]) == "" {
			p.endHunk()
			p.fence = ""
		} else if p.diff {
			p.diffLine(n, line)
		}
		return
	}
	if m := fenceRE.FindStringSubmatch(line); m != nil {
		p.fence, p.fenceLine, p.diff = m[1], n, m[2] == "diff"
		if p.diff && p.patch == nil {
			p.errorf(n, "a diff block outside of a patch: give it a section of its own (### name), or show an example as text")
			p.diff = false
		}
		return
	}
	if m := headingRE.FindStringSubmatch(line); m != nil && len(m[1]) <= 3 {
		p.endPatch()
		if len(m[1]) == 3 {
			p.startPatch(n, m[2])
		}
		return
	}
	if list, ok := strings.CutPrefix(line, watchPrefix); ok {
		p.watch(n, list)
		return
	}
	if p.patch != nil {
		p.prose.WriteString(line)
		p.prose.WriteByte('\n')
	}
}

func (p *reader) startPatch(n int, name string) {
	p.patch = &Patch{Name: strings.Trim(name, "` "), Line: n}
	p.prose.Reset()
	if p.patch.Name == "" {
		p.errorf(n, "the patch has no name")
		return
	}
	if first, ok := p.seen[p.patch.Name]; ok {
		p.errorf(n, "the name is taken by the patch at line %d", first)
	}
	p.seen[p.patch.Name] = n
}

func (p *reader) endPatch() {
	if p.patch == nil {
		return
	}
	p.fields()
	if len(p.patch.Hunks) == 0 {
		p.errorf(p.patch.Line, "no hunk: add a fenced diff block, or make the heading one of the second level if this is no patch")
	}
	p.set.Patches = append(p.set.Patches, p.patch)
	p.patch = nil
}

var (
	fieldRE = regexp.MustCompile(`(?:^|\s)[*_]{0,2}(Why|Drop when|Proved by):`)
	testRE  = regexp.MustCompile(`\bTest[A-Z]\w*`)
)

// fields takes Why, Drop when and Proved by from the prose of the patch. Each
// reaches to the next field or to the end.
func (p *reader) fields() {
	prose := p.prose.String()
	values := map[string]string{}
	at := fieldRE.FindAllStringSubmatchIndex(prose, -1)
	for i, m := range at {
		end := len(prose)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		name := prose[m[2]:m[3]]
		if _, ok := values[name]; ok {
			p.errorf(p.patch.Line, "%q is there twice", name+":")
		}
		values[name] = strings.Join(strings.Fields(strings.Trim(prose[m[1]:end], "*_ \n")), " ")
	}
	for _, name := range []string{"Why", "Drop when", "Proved by"} {
		if values[name] == "" {
			p.errorf(p.patch.Line, "%q is missing", name+":")
		}
	}
	p.patch.Why, p.patch.DropWhen = values["Why"], values["Drop when"]
	seen := map[string]bool{}
	for _, t := range testRE.FindAllString(values["Proved by"], -1) {
		if !seen[t] {
			seen[t] = true
			p.patch.ProvedBy = append(p.patch.ProvedBy, t)
		}
	}
	if values["Proved by"] != "" && len(p.patch.ProvedBy) == 0 {
		p.errorf(p.patch.Line, `"Proved by:" names no test (TestSomething)`)
	}
}

func (p *reader) diffLine(n int, line string) {
	if strings.HasPrefix(line, "@@") {
		p.endHunk()
		p.header(n, line)
		return
	}
	switch {
	case p.hunk == nil:
		if strings.TrimSpace(line) != "" {
			p.errorf(n, "a line before the first hunk header (@@ file declaration @@): %q", line)
		}
	case line == "":
		p.hunk.Lines = append(p.hunk.Lines, Line{Op: ' ', N: n})
	case strings.IndexByte(" +-", line[0]) >= 0:
		p.hunk.Lines = append(p.hunk.Lines, Line{Op: line[0], Text: line[1:], N: n})
	default:
		p.errorf(n, "the line begins with %q, but it has to begin with '-' (goes), '+' (comes) or ' ' (context)", line[0])
	}
}

func (p *reader) header(n int, line string) {
	m := hunkRE.FindStringSubmatch(line)
	if m == nil {
		p.errorf(n, "the hunk header %q is not of the form @@ file declaration @@", line)
		return
	}
	words := strings.Fields(m[1])
	h := &Hunk{Patch: p.patch.Name, Line: n, File: words[0]}
	words = words[1:]
	p.hunk = h
	if !strings.HasSuffix(h.File, ".go") {
		p.errorf(n, "%s is no Go file", h.File)
	}
	if len(words) > 1 && isKeyword(words[0]) {
		h.Keyword = words[0]
		words = words[1:]
	}
	if len(words) == 0 {
		p.errorf(n, "the hunk header %q does not name a declaration, as in: @@ server.go (*Server).Serve @@", line)
		return
	}
	h.Decl = words[0]
	p.where(n, h, strings.Join(words[1:], " "))
}

// where reads what stands behind the declaration in a hunk header.
func (p *reader) where(n int, h *Hunk, where string) {
	scope, tokens, isScope := strings.Cut(where, "{")
	switch {
	case where == "":
	case where == "drop":
		h.Drop = true
	case slices.Contains([]Place{PlaceStart, PlaceEnd, PlaceBeforeLoop, PlaceAfterLoop}, Place(where)):
		h.Place = Place(where)
	case scope == "if" && strings.HasSuffix(tokens, "}"):
		h.If = strings.TrimSuffix(tokens, "}")
		if _, err := scanScope(h.If); err != nil {
			p.errorf(n, "if{%s}: %v", h.If, err)
		}
	case isScope:
		p.errorf(n, "%s is no scope: there is only if{tokens}", where)
	default:
		p.errorf(n, "the hunk header names the declaration %s, and %q behind it is neither a place (start, end, before loop, after loop) nor if{tokens} nor drop", h.Decl, where)
	}
}

func isKeyword(word string) bool {
	return word == "type" || word == "var" || word == "const" || word == "func"
}

func (p *reader) endHunk() {
	h := p.hunk
	if h == nil {
		return
	}
	p.hunk = nil
	for len(h.Lines) > 0 && h.Lines[len(h.Lines)-1] == (Line{Op: ' ', N: h.Lines[len(h.Lines)-1].N}) {
		h.Lines = h.Lines[:len(h.Lines)-1]
	}
	if err := h.validate(); err != nil {
		p.errorf(err.line, "%s: %s", h.Key(), err.msg)
	}
	p.patch.Hunks = append(p.patch.Hunks, h)
}

// lineError is a mistake in a line of a hunk.
type lineError struct {
	line int
	msg  string
}

// validate checks what can be known about a hunk without the source.
func (h *Hunk) validate() *lineError {
	var minus, plus, context bool
	for _, l := range h.Lines {
		minus = minus || l.Op == '-'
		plus = plus || l.Op == '+'
		context = context || l.Op == ' ' && strings.TrimSpace(l.Text) != ""
	}
	switch {
	case h.Drop && len(h.Lines) > 0:
		return &lineError{h.Lines[0].N, "a dropped declaration has no lines"}
	case h.Drop:
		return nil
	case !minus && !plus:
		return &lineError{h.Line, "the hunk changes nothing: it has neither '-' nor '+' lines"}
	}
	old, err := h.tokens()
	switch {
	case err != nil:
		return err
	case h.Place != "" && (minus || context):
		return &lineError{h.Line, fmt.Sprintf("%q is a place: only '+' lines are allowed here", h.Place)}
	case h.Place != "":
		return nil
	case len(old.tokens) == 0:
		return &lineError{h.Line, "only '+' lines: add the tokens beside which they belong, as context, or a place (start, end, before loop, after loop)"}
	case old.tokens[0].isRun() || old.tokens[len(old.tokens)-1].isRun():
		return &lineError{h.Line, errRunAtEnd.Error()}
	case minus && !old.removes():
		return &lineError{h.Line, "the '-' lines hold no tokens (comments cannot be removed)"}
	}
	return nil
}
