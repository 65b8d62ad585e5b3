package patch

import (
	"bytes"
	"fmt"
	"go/scanner"
	"go/token"
	"strings"
)

// tok is a Go token and the bytes it stands in.
type tok struct {
	tok  token.Token
	text string
	// start and end are offsets in the scanned text.
	start, end int
	line       int
	// ends says that a semicolon, written or inserted by a line's end, stands
	// before the token: a statement, a spec or a field ends there.
	ends bool
}

// isRun reports whether a token of a hunk stands for a run of others.
func (t tok) isRun() bool { return t.tok == token.ELLIPSIS }

// same reports whether two tokens are equal but for where they stand.
func (t tok) same(u tok) bool { return t.tok == u.tok && t.text == u.text }

// scan splits Go source into tokens. Comments are left out, and so are
// semicolons, written or inserted by a line's end: a newline and a semicolon
// between two statements mean the same.
func scan(src []byte) ([]tok, error) {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	var errs scanner.ErrorList
	var s scanner.Scanner
	s.Init(file, src, errs.Add, 0)
	var tokens []tok
	ends := false
	for {
		pos, t, lit := s.Scan()
		if t == token.EOF {
			break
		}
		if t == token.SEMICOLON {
			ends = true
			continue
		}
		start := file.Offset(pos)
		text := lit
		if !t.IsLiteral() && !t.IsKeyword() {
			text = t.String()
		}
		end := start + len(text)
		if t == token.STRING && text[0] == '`' {
			// The scanner drops carriage returns from raw strings, so the
			// literal may be shorter than what stands in the source.
			if i := bytes.IndexByte(src[start+1:], '`'); i >= 0 {
				end = start + 1 + i + 1
			}
		}
		tokens = append(tokens, tok{t, text, start, end, file.Line(pos), ends})
		ends = false
	}
	return tokens, errs.Err()
}

// pattern is a hunk as tokens: what has to be there, which of it goes, and what
// comes where.
type pattern struct {
	// tokens are those of the context and '-' lines, ops the lines' first bytes.
	tokens []tok
	ops    []byte
	// plus is the text that comes before the token of that index, or after the
	// last one for len(tokens).
	plus map[int]string
}

func (p *pattern) removes() bool { return bytes.IndexByte(p.ops, '-') >= 0 }

// tokens makes the pattern of a hunk.
func (h *Hunk) tokens() (*pattern, *lineError) {
	// Old lines are scanned together, not one by one: a raw string may reach
	// over several of them.
	var old strings.Builder
	var lines []Line
	for _, l := range h.Lines {
		if l.Op != '+' {
			old.WriteString(l.Text)
			old.WriteByte('\n')
			lines = append(lines, l)
		}
	}
	tokens, err := scan([]byte(old.String()))
	if err != nil {
		n, msg := h.Line, err.Error()
		if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
			msg = list[0].Msg
			if i := list[0].Pos.Line - 1; i >= 0 && i < len(lines) {
				n = lines[i].N
			}
		}
		return nil, &lineError{n, "the line is not Go: " + msg}
	}

	p := &pattern{tokens: tokens, plus: map[int]string{}}
	for _, t := range tokens {
		l := lines[t.line-1]
		for i := range strings.Count(t.text, "\n") {
			if lines[t.line+i].Op != l.Op {
				return nil, &lineError{l.N, fmt.Sprintf("a string begins in a %q line and ends in a %q line", l.Op, lines[t.line+i].Op)}
			}
		}
		p.ops = append(p.ops, l.Op)
	}
	// The text that comes belongs before the first token of a later old line.
	seen, next := 0, 0
	plusLine := map[int]int{}
	for _, l := range h.Lines {
		if l.Op != '+' {
			seen++
			for next < len(tokens) && tokens[next].line <= seen {
				next++
			}
			continue
		}
		if have, ok := p.plus[next]; ok {
			p.plus[next] = have + "\n" + l.Text
		} else {
			p.plus[next], plusLine[next] = l.Text, l.N
		}
	}
	// A string or a comment that is not closed would swallow what follows.
	for at := range len(tokens) + 1 {
		if _, err := scan([]byte(p.plus[at])); err != nil {
			return nil, &lineError{plusLine[at], "what comes is not Go: " + err.Error()}
		}
	}
	return p, nil
}
