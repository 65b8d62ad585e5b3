package patch

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"strings"
)

// Region is a part of a file.
type Region struct {
	// Start and End are offsets in the file, Line and EndLine its first and last
	// line, from 1.
	Start, End, Line, EndLine int
}

func (s *source) region(r span) Region {
	line := func(offset int) int { return 1 + strings.Count(string(s.text[:offset]), "\n") }
	return Region{r.start, r.end, line(r.start), line(max(r.start, r.end-1))}
}

// Locate finds the declaration that a hunk touches, and in it what the hunk
// matches or the place of it. Neither is there if src has no such declaration;
// anchor is zero if the hunk does not match. text is the file.
func Locate(src fs.FS, h *Hunk) (text []byte, decl, anchor Region, ok bool) {
	s, d := open(src, h)
	if d == nil {
		return nil, Region{}, Region{}, false
	}
	decl = s.region(span{d.start, d.end})
	if h.Drop {
		return s.text, decl, decl, true
	}
	if matched, _, err := s.match(h, d); err == nil {
		anchor = s.region(span{matched[0].start, matched[len(matched)-1].end})
		if h.Place != "" { // of a loop its first line
			anchor.EndLine = anchor.Line
		}
	}
	return s.text, decl, anchor, true
}

func open(src fs.FS, h *Hunk) (*source, *decl) {
	text, err := fs.ReadFile(src, h.File)
	if err != nil {
		return nil, nil
	}
	s, err := parseSource(h.File, text)
	if err != nil {
		return nil, nil
	}
	d, err := s.lookup(h)
	if err != nil {
		return nil, nil
	}
	return s, d
}

// Suggest makes a block for a hunk that does not match any more: the statement
// that begins in the lines from to to of the file, or the one that they lie in,
// as '-' lines, and the hunk's '+' lines. matches says how often the tokens
// occur. The block is empty where there is no statement.
func Suggest(src fs.FS, h *Hunk, from, to int) (block string, matches int) {
	s, d := open(src, h)
	if d == nil || d.body == nil || h.Drop || h.Place != "" {
		return "", 0
	}
	stmt := s.statement(d, from, to)
	if stmt == nil {
		return "", 0
	}
	tokens := within(s.tokens(d), span{s.offset(stmt.Pos()), s.offset(stmt.End())})
	hint := *h
	hint.If, hint.Lines = "", nil
	for i, t := range tokens {
		joined := i > 0 && tokens[i-1].end == t.start
		switch {
		case i == 0 || s.lineStart(t.start) >= tokens[i-1].end:
			hint.Lines = append(hint.Lines, Line{Op: '-'})
		case !joined:
			if s.text[tokens[i-1].end] == ';' {
				hint.Lines[len(hint.Lines)-1].Text += ";"
			}
			hint.Lines[len(hint.Lines)-1].Text += " "
		}
		hint.Lines[len(hint.Lines)-1].Text += string(s.text[t.start:t.end])
	}
	for _, l := range h.Lines {
		if l.Op == '+' {
			hint.Lines = append(hint.Lines, l)
		}
	}
	out := strings.Builder{}
	header := h.File + " " + h.Decl
	if h.Keyword != "" {
		header = h.File + " " + h.Keyword + " " + h.Decl
	}
	fmt.Fprintf(&out, "@@ %s @@\n", header)
	for _, l := range hint.Lines {
		fmt.Fprintf(&out, "%c%s\n", l.Op, l.Text)
	}
	if p, err := hint.tokens(); err == nil {
		matches = len(find(s.tokens(d), p.tokens))
	}
	return out.String(), matches
}

// statement is the largest one that begins in the lines, or else the smallest
// that they lie in.
func (s *source) statement(d *decl, from, to int) ast.Stmt {
	var begins, holds ast.Stmt
	ast.Inspect(d.body, func(n ast.Node) bool {
		stmt, ok := n.(ast.Stmt)
		if _, block := n.(*ast.BlockStmt); !ok || block {
			return true
		}
		first, last := s.line(stmt.Pos()), s.line(stmt.End())
		if begins == nil && first >= from && first <= to {
			begins = stmt
		}
		if first <= from && last >= to {
			holds = stmt
		}
		return begins == nil
	})
	if begins != nil {
		return begins
	}
	return holds
}

func (s *source) line(p token.Pos) int { return s.fset.PositionFor(p, false).Line }
