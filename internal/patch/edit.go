package patch

import (
	"bytes"
	"fmt"
	"go/format"
	"go/scanner"
	"go/token"
	"sort"
	"strings"
)

// edit replaces the bytes from start to end by text.
type edit struct {
	start, end int
	text       string
	hunk       *Hunk
}

func (e edit) inserts() bool { return e.start == e.end }

// edits finds the place of a hunk in the pristine source and says what is to be
// done there.
func (s *source) edits(h *Hunk) ([]edit, *HunkError) {
	d, err := s.lookup(h)
	if err != nil {
		return nil, newHunkError(h, KindNoDeclaration, err.Error())
	}
	if h.Drop {
		if d.noDrop != "" {
			return nil, newHunkError(h, KindNoDeclaration, "cannot be dropped: "+d.noDrop)
		}
		start, end := s.wholeLines(d.dropStart, d.end)
		return []edit{{start, end, "", h}}, nil
	}
	tokens, p, herr := s.match(h, d)
	if herr != nil {
		return nil, herr
	}
	if h.Place != "" {
		return []edit{s.insertAt(h, tokens[0], p.plus[0])}, nil
	}
	return s.place(h, p, tokens), nil
}

// match finds the tokens of a declaration that a hunk is about, with the pattern
// fitted to them: those that it matches, or the one token that its place is at.
func (s *source) match(h *Hunk, d *decl) ([]tok, *pattern, *HunkError) {
	p, lineErr := h.tokens()
	if lineErr != nil {
		return nil, nil, newHunkError(h, KindNoMatch, lineErr.msg)
	}
	if h.Place != "" {
		at, err := s.placeOf(h, d)
		return []tok{at}, p, err
	}
	tokens, where := s.tokens(d), "the declaration"
	if h.If != "" {
		head, herr := s.ifHead(h, d)
		if herr != nil {
			return nil, nil, herr
		}
		tokens, where = within(tokens, head), fmt.Sprintf("the head of the if statement that holds %q", h.If)
	}
	matches := find(tokens, p.tokens)
	if len(matches) != 1 {
		return nil, nil, countError(h, len(matches),
			"the '-' and context lines do not occur in "+where,
			"the '-' and context lines have to occur once; add context")
	}
	m := matches[0]
	return tokens[m[0]:m[len(p.tokens)]], p.fit(m), nil
}

// countError says that something is there not once but n times.
func countError(h *Hunk, n int, none, many string) *HunkError {
	e := newHunkError(h, KindNoMatch, "0 matches: "+none)
	if n > 1 {
		e.Kind, e.Msg = KindManyMatches, fmt.Sprintf("%d matches: %s", n, many)
	}
	e.Matches = n
	return e
}

// place turns a matched pattern into edits. tokens are the matched ones.
func (s *source) place(h *Hunk, p *pattern, tokens []tok) []edit {
	var edits []edit
	for i := 0; i <= len(tokens); {
		// A run of removed tokens, and all that comes before it, between its
		// tokens and behind it.
		j := i
		for j < len(tokens) && p.ops[j] == '-' {
			j++
		}
		if j > i {
			var text []string
			for k := i; k <= j; k++ {
				if t, ok := p.plus[k]; ok {
					text = append(text, t)
				}
			}
			start, end := tokens[i].start, tokens[j-1].end
			if len(text) > 0 {
				edits = append(edits, edit{start, end, s.inline(start, end, strings.Join(text, "\n")), h})
			} else {
				start, end = s.wholeLines(start, end)
				edits = append(edits, edit{start, end, s.inline(start, end, ""), h})
			}
			i = j + 1 // plus[j] is used
			continue
		}
		if text, ok := p.plus[i]; ok {
			if i == 0 {
				edits = append(edits, s.insertBefore(h, tokens[0].start, text))
			} else {
				edits = append(edits, s.insertAfter(h, tokens[i-1].end, text))
			}
		}
		i++
	}
	return edits
}

// inline is a text that takes the place of the bytes from start to end. Blanks
// keep it from growing together with its neighbours, and gofmt removes those
// that are not needed.
func (s *source) inline(start, end int, text string) string {
	before := start > 0 && !isSpace(s.text[start-1])
	after := end < len(s.text) && !isSpace(s.text[end])
	if strings.TrimSpace(text) == "" {
		if before && after {
			return " "
		}
		return ""
	}
	if before {
		text = " " + text
	}
	if endsInComment(text) {
		return text + "\n"
	}
	if after {
		text += " "
	}
	return text
}

// insertBefore puts lines before the token that starts at offset.
func (s *source) insertBefore(h *Hunk, offset int, text string) edit {
	if line := s.lineStart(offset); isBlank(s.text[line:offset]) {
		return edit{line, line, text + "\n", h}
	}
	return edit{offset, offset, "\n" + text + "\n", h}
}

// insertAfter puts lines behind the token that ends at offset: behind its line,
// if only a comment follows in it.
func (s *source) insertAfter(h *Hunk, offset int, text string) edit {
	end := s.lineEnd(offset)
	if onlyComments(s.text[offset:end]) && end < len(s.text) {
		return edit{end + 1, end + 1, text + "\n", h}
	}
	return edit{offset, offset, "\n" + text + "\n", h}
}

// wholeLines widens a range that has its lines to itself to those lines,
// including a comment behind its end: nothing is left that the comment could
// speak of.
func (s *source) wholeLines(start, end int) (int, int) {
	line, eol := s.lineStart(start), s.lineEnd(end)
	if !isBlank(s.text[line:start]) || !onlyComments(s.text[end:eol]) {
		return start, end
	}
	if eol < len(s.text) {
		eol++
	}
	return line, eol
}

// lineStart is the offset of the first byte of the line of offset.
func (s *source) lineStart(offset int) int {
	return bytes.LastIndexByte(s.text[:offset], '\n') + 1
}

// lineEnd is the offset of the newline that ends the line of offset, or of the
// end of the file.
func (s *source) lineEnd(offset int) int {
	if i := bytes.IndexByte(s.text[offset:], '\n'); i >= 0 {
		return offset + i
	}
	return len(s.text)
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

func isBlank(text []byte) bool { return len(bytes.TrimSpace(text)) == 0 }

// onlyComments reports whether the rest of a line is blank or comments that end
// in it.
func onlyComments(rest []byte) bool {
	code, _, err := scanComments(rest)
	return err == nil && !code
}

// endsInComment reports whether the last thing in text is a comment that would
// swallow what is put behind it.
func endsInComment(text string) bool {
	_, line, _ := scanComments([]byte(text))
	return line
}

// scanComments says whether text holds anything but comments, and whether a
// line comment is the last thing in it.
func scanComments(text []byte) (code, lineComment bool, err error) {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	var errs scanner.ErrorList
	var s scanner.Scanner
	s.Init(file, text, errs.Add, scanner.ScanComments)
	for {
		_, t, lit := s.Scan()
		switch {
		case t == token.EOF:
			return code, lineComment, errs.Err()
		case t == token.COMMENT:
			lineComment = strings.HasPrefix(lit, "//")
		case t == token.SEMICOLON && lit != ";":
			// inserted at a line's end
		default:
			code, lineComment = true, false
		}
	}
}

// overlaps finds edits of the same bytes and sorts the edits by place. Two
// insertions at one place are an overlap too, as nothing says which comes first.
func overlaps(edits []edit) []error {
	sort.SliceStable(edits, func(i, j int) bool {
		a, b := edits[i], edits[j]
		if a.start != b.start {
			return a.start < b.start
		}
		return a.end < b.end // an insertion comes before what begins there
	})
	var errs []error
	for i := 1; i < len(edits); i++ {
		a, b := edits[i-1], edits[i]
		both := a.inserts() && b.inserts() && a.start == b.start
		if a.end <= b.start && !both {
			continue
		}
		e := newHunkError(b.hunk, KindOverlap, "")
		switch {
		case both:
			e.Msg = fmt.Sprintf("inserts at the very place where patch %q does (its hunk at line %d): nothing says which comes first; make them one hunk", a.hunk.Patch, a.hunk.Line)
		default:
			e.Msg = fmt.Sprintf("overlaps patch %q (its hunk at line %d): both edit the same tokens; make them one hunk", a.hunk.Patch, a.hunk.Line)
		}
		e.Other = a.hunk
		errs = append(errs, e)
		if a.end > b.end {
			edits[i] = a // compare what follows with the one that reaches farther
		}
	}
	return errs
}

// splice applies sorted edits that do not overlap, and formats the result.
func (s *source) splice(edits []edit) ([]byte, error) {
	var out bytes.Buffer
	at := 0
	ends := make([]int, len(edits)) // where each edit's text ends in out
	for i, e := range edits {
		out.Write(s.text[at:e.start])
		out.WriteString(e.text)
		ends[i] = out.Len()
		at = e.end
	}
	out.Write(s.text[at:])
	formatted, err := format.Source(out.Bytes())
	if err == nil {
		return formatted, nil
	}
	// The edit at the mistake or directly before it is the likely culprit.
	msg, offset := err.Error(), -1
	if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
		msg, offset = list[0].Msg, list[0].Pos.Offset
		line := out.Bytes()[bytes.LastIndexByte(out.Bytes()[:min(offset, out.Len())], '\n')+1:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		msg += fmt.Sprintf(" at %q", strings.TrimSpace(string(line)))
	}
	culprit := edits[0].hunk
	for i, e := range edits {
		if offset >= 0 && ends[i]-len(e.text) > offset {
			break
		}
		culprit = e.hunk
	}
	return nil, newHunkError(culprit, KindResult, "the patched file does not parse: "+msg)
}
