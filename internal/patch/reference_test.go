package patch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// expected is the reference of FuzzApply: the tokens of the file that a hunk
// patches, found by plain trial of every place. It is not ok where that would
// take too long.
func expected(t *testing.T, h *Hunk, source []byte) (tokens []string, ok bool) {
	t.Helper()
	src, err := parseSource(h.File, source)
	if err != nil {
		t.Fatalf("applied to what does not parse: %v", err)
	}
	d, err := src.lookup(h)
	if err != nil {
		t.Fatalf("applied to what is not there: %v", err)
	}
	join := func(parts ...[]byte) []string { return significant(slices.Concat(parts...)) }
	if h.Drop {
		return join(source[:d.start], source[d.end:]), true
	}
	if h.Place != "" {
		var plus []byte
		for _, l := range h.Lines {
			if l.Op == '+' {
				plus = append(plus, "\n"+l.Text...)
			}
		}
		at := placeIn(t, h, source, d.start)
		return join(source[:at], plus, []byte("\n"), source[at:]), true
	}
	start, end := d.start, d.end
	if h.If != "" {
		start, end = headIn(t, h, source, d)
	}
	old, text := oldTokens(h)
	all := referenceTokens(source[start:end])
	at, runs := -1, []string(nil)
	if strings.Count(text, "...") > 3 {
		return nil, false
	}
	for i := range all {
		if r, ok := try(all, old, i, 0, nil); ok {
			if at >= 0 {
				t.Fatalf("applied, and the sequence occurs twice: %q in %q", text, source[start:end])
			}
			at, runs = i, r
		}
	}
	if at < 0 {
		t.Fatalf("applied, and the sequence does not occur: %q in %q", text, source[start:end])
	}
	length := len(old)
	for _, r := range runs {
		length += len(strings.Fields(r)) - 1
	}
	// What the runs matched takes the place of the dots in the context lines.
	var want []string
	n := 0
	for _, tok := range significant([]byte(wanted(h, old))) {
		if !strings.HasPrefix(tok, runName) {
			want = append(want, tok)
			continue
		}
		fmt.Sscanf(tok, runName+"%d", &n)
		for _, i := range strings.Fields(runs[n]) {
			var k int
			fmt.Sscan(i, &k)
			want = append(want, significant(source[start+all[k].start:start+all[k].end])...)
		}
	}
	behind := end
	if at+length < len(all) {
		behind = start + all[at+length].start
	}
	return slices.Concat(significant(source[:start+all[at].start]), want, significant(source[behind:])), true
}

// runName is what stands for a run in the text that is wanted.
const runName = "fuzzRun"

// oldTokens are the tokens of the '-' and context lines, and their text.
func oldTokens(h *Hunk) ([]referenceTok, string) {
	text := ""
	for _, l := range h.Lines {
		if l.Op != '+' {
			text += l.Text + "\n"
		}
	}
	return referenceTokens([]byte(text)), text
}

// wanted is the text of the '+' and context lines, with a name in the place of
// each run.
func wanted(h *Hunk, old []referenceTok) string {
	want, from, n, run := "", 0, 0, 0
	for _, l := range h.Lines {
		if l.Op == '+' {
			want += l.Text + "\n"
			continue
		}
		text, to := l.Text, from+len(l.Text)+1
		shift := 0
		for ; n < len(old) && old[n].start < to; n++ {
			if old[n].text != "..." {
				continue
			}
			at := old[n].start - from + shift
			name := fmt.Sprintf(" %s%d ", runName, run)
			text = text[:at] + name + text[at+len("..."):]
			shift += len(name) - len("...")
			run++
		}
		from = to
		if l.Op == ' ' {
			want += text + "\n"
		}
	}
	return want
}

// referenceTok is a token, and whether a statement ends before it.
type referenceTok struct {
	text       string
	ends       bool
	start, end int
}

func referenceTokens(text []byte) []referenceTok {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	var s scanner.Scanner
	s.Init(file, text, func(token.Position, string) {}, 0)
	var tokens []referenceTok
	ends := false
	for {
		pos, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			for i := range tokens { // the bytes up to the next token
				tokens[i].end = len(text)
				if i+1 < len(tokens) {
					tokens[i].end = tokens[i+1].start
				}
			}
			return tokens
		case tok == token.SEMICOLON:
			ends = true
		default:
			if !tok.IsLiteral() {
				lit = tok.String()
			}
			tokens = append(tokens, referenceTok{text: lit, ends: ends, start: file.Offset(pos)})
			ends = false
		}
	}
}

// try fits the pattern from j on to the tokens from i on. The runs are the
// indices of the tokens that each "..." took.
func try(all, pattern []referenceTok, i, j int, runs []string) ([]string, bool) {
	switch {
	case j == len(pattern):
		return runs, true
	case pattern[j].text != "...":
		if i == len(all) || all[i].text != pattern[j].text {
			return nil, false
		}
		return try(all, pattern, i+1, j+1, runs)
	}
	taken, depth := "", 0
	for k := i; k < len(all); k++ {
		if depth == 0 {
			if all[k].ends {
				return nil, false
			}
			if r, ok := try(all, pattern, k, j+1, append(slices.Clone(runs), taken)); ok {
				return r, true
			}
		}
		switch all[k].text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			depth--
		}
		if depth < 0 {
			return nil, false
		}
		taken += fmt.Sprint(k) + " "
	}
	return nil, false
}

// placeIn is the offset of a hunk's place.
func placeIn(t *testing.T, h *Hunk, source []byte, start int) int {
	t.Helper()
	at := -1
	note := func(pos token.Pos) { at = int(pos) - 1 } // the file's base is 1
	for n := range nodes(t, source) {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if int(n.Pos())-1 != start || n.Body == nil {
				continue
			}
			switch h.Place {
			case PlaceStart:
				note(n.Body.Lbrace + 1)
			case PlaceEnd:
				note(n.Body.Rbrace)
			}
			loops := 0
			for _, stmt := range n.Body.List {
				whole := stmt
				for {
					l, ok := stmt.(*ast.LabeledStmt)
					if !ok {
						break
					}
					stmt = l.Stmt
				}
				switch stmt.(type) {
				case *ast.ForStmt, *ast.RangeStmt:
				default:
					continue
				}
				loops++
				if h.Place == PlaceBeforeLoop {
					note(whole.Pos())
				} else if h.Place == PlaceAfterLoop {
					note(whole.End())
				}
			}
			if loops != 1 && strings.HasSuffix(string(h.Place), "loop") {
				t.Fatalf("applied %s, and there are %d loops", h.Place, loops)
			}
		case *ast.TypeSpec:
			if s, ok := n.Type.(*ast.StructType); ok && h.Place == PlaceEnd && n.Name.Name == h.Decl && at < 0 {
				note(s.Fields.Closing)
			}
		}
	}
	if at < 0 {
		t.Fatalf("applied %s, and there is no such place", h.Place)
	}
	return at
}

// headIn is where the head of the if statement lies that a hunk names.
func headIn(t *testing.T, h *Hunk, source []byte, d *decl) (start, end int) {
	t.Helper()
	scope, found := referenceTokens([]byte(h.If)), 0
	for n := range nodes(t, source) {
		stmt, ok := n.(*ast.IfStmt)
		if !ok || int(stmt.If)-1 < d.start || int(stmt.If)-1 >= d.end {
			continue
		}
		from, to := int(stmt.If)-1+len("if"), int(stmt.Body.Lbrace)-1
		head := referenceTokens(source[from:to])
		for i := range head {
			if _, ok := try(head, scope, i, 0, nil); ok {
				start, end = from, to
				found++
				break
			}
		}
	}
	if found != 1 {
		t.Fatalf("applied, and %d heads of if statements hold %q", found, h.If)
	}
	return start, end
}

func nodes(t *testing.T, source []byte) func(func(ast.Node) bool) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "s.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return ast.Preorder(file)
}
