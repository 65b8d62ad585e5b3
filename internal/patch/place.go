package patch

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
)

// placeOf is what stands at a hunk's place: the brace that the lines come behind
// or before, or the loop as if it were one token.
func (s *source) placeOf(h *Hunk, d *decl) (tok, *HunkError) {
	at := func(start, end token.Pos) tok { return tok{start: s.offset(start), end: s.offset(end)} }
	switch {
	case h.Place == PlaceEnd && !d.closing.IsValid():
		return tok{}, newHunkError(h, KindNoMatch, "the declaration has no end to insert at: it is neither a struct type nor a function with a body")
	case h.Place == PlaceEnd:
		return at(d.closing, d.closing+1), nil
	case d.body == nil:
		return tok{}, newHunkError(h, KindNoMatch, fmt.Sprintf("the declaration has no %q: it is not a function with a body", h.Place))
	case h.Place == PlaceStart:
		return at(d.body.Lbrace, d.body.Lbrace+1), nil
	}
	loop, err := s.loop(h, d)
	if err != nil {
		return tok{}, err
	}
	return at(loop.Pos(), loop.End()), nil
}

// insertAt puts lines at a hunk's place.
func (s *source) insertAt(h *Hunk, at tok, text string) edit {
	if h.Place == PlaceEnd || h.Place == PlaceBeforeLoop {
		return s.insertBefore(h, at.start, text)
	}
	return s.insertAfter(h, at.end, text)
}

// loop is the one for statement of a function's body that is not nested in
// another statement, with its label.
func (s *source) loop(h *Hunk, d *decl) (ast.Stmt, *HunkError) {
	var loops []ast.Stmt
	for _, stmt := range d.body.List {
		inner := stmt
		for l, ok := inner.(*ast.LabeledStmt); ok; l, ok = inner.(*ast.LabeledStmt) {
			inner = l.Stmt
		}
		switch inner.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			loops = append(loops, stmt)
		}
	}
	if len(loops) != 1 {
		return nil, countError(h, len(loops),
			"the function's body has no for statement that is not nested in another",
			"the function's body has to have one for statement that is not nested in another; name tokens beside the place instead")
	}
	return loops[0], nil
}

// span is a range of bytes.
type span struct{ start, end int }

// ifHead is what stands between "if" and the block of the one if statement
// whose head holds the tokens of the hunk's scope.
func (s *source) ifHead(h *Hunk, d *decl) (span, *HunkError) {
	sequence, err := scanScope(h.If)
	if err != nil {
		return span{}, newHunkError(h, KindNoMatch, err.Error())
	}
	if d.body == nil {
		return span{}, newHunkError(h, KindNoMatch, "the declaration is not a function with a body, so it has no if statement")
	}
	tokens := s.tokens(d)
	var heads []span
	ast.Inspect(d.body, func(n ast.Node) bool {
		if stmt, ok := n.(*ast.IfStmt); ok {
			head := span{s.offset(stmt.If) + len("if"), s.offset(stmt.Body.Lbrace)}
			if len(find(within(tokens, head), sequence)) > 0 {
				heads = append(heads, head)
			}
		}
		return true
	})
	if len(heads) != 1 {
		return span{}, countError(h, len(heads),
			fmt.Sprintf("no if statement of the declaration holds %q in its head", h.If),
			fmt.Sprintf("one if statement of the declaration has to hold %q in its head; name more of it", h.If))
	}
	return heads[0], nil
}

// errRunAtEnd says that "..." is no use at an end: the shortest run is empty.
var errRunAtEnd = errors.New(`"..." has to stand between other tokens`)

// scanScope makes tokens of what stands in a scope.
func scanScope(text string) ([]tok, error) {
	tokens, err := scan([]byte(text))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the tokens are not Go: %w", err)
	case len(tokens) == 0:
		return nil, errors.New("the scope names no tokens")
	case tokens[0].isRun() || tokens[len(tokens)-1].isRun():
		return nil, errRunAtEnd
	}
	return tokens, nil
}

// within are the tokens that lie in a range.
func within(tokens []tok, r span) []tok {
	var in []tok
	for _, t := range tokens {
		if t.start >= r.start && t.end <= r.end {
			in = append(in, t)
		}
	}
	return in
}
