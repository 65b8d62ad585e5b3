package patch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/ast/astutil"
)

// hash is over the tokens of a declaration. Layout and comments do not change
// it, nor do the names of what a function declares itself: such a name counts as
// a number, that of its first use.
func (s *source) hash(d *decl) string {
	locals := map[string]int{}
	for _, name := range d.locals() {
		locals[name] = 0
	}
	tokens := s.tokens(d)
	named := 0
	for i, t := range tokens {
		n, local := locals[t.text]
		if t.tok != token.IDENT || !local || i > 0 && tokens[i-1].tok == token.PERIOD {
			continue
		}
		if n == 0 {
			named++
			n = named
			locals[t.text] = n
		}
		tokens[i].text = fmt.Sprintf("#%d", n)
	}
	return hashOf(tokens)
}

func hashOf(tokens []tok) string {
	h := sha256.New()
	for _, t := range tokens {
		fmt.Fprintf(h, "%s %q\n", t.tok, t.text)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// locals are the names that a function declares: its receiver, parameters,
// results, variables, types and labels.
func (d *decl) locals() []string {
	var names []string
	add := func(exprs ...ast.Expr) {
		for _, e := range exprs {
			if id, ok := e.(*ast.Ident); ok && id.Name != "_" {
				names = append(names, id.Name)
			}
		}
	}
	fn, ok := d.node.(*ast.FuncDecl)
	if !ok {
		return nil
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv != nil {
				for _, f := range n.Recv.List {
					for _, name := range f.Names {
						add(name)
					}
				}
			}
		case *ast.FuncType:
			for _, list := range []*ast.FieldList{n.TypeParams, n.Params, n.Results} {
				if list == nil {
					continue
				}
				for _, f := range list.List {
					for _, name := range f.Names {
						add(name)
					}
				}
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				add(n.Lhs...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				add(n.Key, n.Value)
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				add(name)
			}
		case *ast.TypeSpec:
			add(n.Name)
		case *ast.LabeledStmt:
			add(n.Label)
		}
		return true
	})
	return names
}

// Anchor says in a line where in its declaration the hunk belongs: its place,
// or its '-' and context lines.
func (h *Hunk) Anchor() string {
	if h.Drop {
		return "drop"
	}
	if h.Place != "" {
		return string(h.Place)
	}
	var words []string
	if h.If != "" {
		words = append(words, "if{"+h.If+"}")
	}
	for _, l := range h.Lines {
		if l.Op != '+' {
			words = append(words, strings.Fields(l.Text)...)
		}
	}
	return strings.Join(words, " ")
}

// anchorHash is over the statements that a hunk depends on: those that hold the
// matched tokens and those that enclose them, each without the blocks in it; but
// where the hunk changes the condition of an if statement, with its block. Of
// a place it is the loop's head, or the function's signature, and of a dropped
// declaration all of it. It is empty for the end of a struct, which depends on
// nothing, and where the hunk does not match.
func (s *source) anchorHash(h *Hunk, d *decl) string {
	if h.Drop {
		return s.hash(d)
	}
	matched, p, err := s.match(h, d)
	if err != nil {
		return ""
	}
	switch {
	case h.Place == PlaceBeforeLoop || h.Place == PlaceAfterLoop:
		matched = within(s.tokens(d), span{matched[0].start, matched[0].end})
		for matched[0].tok != token.FOR { // a label
			matched = matched[1:]
		}
		matched = matched[:1]
	case h.Place != "" && d.body == nil:
		return ""
	case h.Place != "":
		matched = s.tokens(d)[:1]
	}
	own := map[int]bool{} // by the offset of a token
	for i, t := range matched {
		goes := i < len(p.ops) && p.ops[i] == '-'
		for _, part := range s.anchorParts(d, t, goes) {
			for _, t := range within(s.tokens(d), part) {
				own[t.start] = true
			}
		}
	}
	var tokens []tok
	for _, t := range s.tokens(d) {
		if own[t.start] {
			tokens = append(tokens, t)
		}
	}
	return hashOf(tokens)
}

// anchorParts are the parts of the file that a matched token depends on. goes
// says that the hunk removes it.
func (s *source) anchorParts(d *decl, t tok, goes bool) []span {
	base := s.fset.File(s.file.Pos()).Base()
	path, _ := astutil.PathEnclosingInterval(s.file, token.Pos(base+t.start), token.Pos(base+t.end))
	var parts []span
	var narrow *span // of the innermost field or spec
	for _, n := range path {
		switch n := n.(type) {
		case *ast.BlockStmt:
		case *ast.CaseClause:
			parts = append(parts, span{s.offset(n.Pos()), s.offset(n.Colon) + 1})
		case *ast.CommClause:
			parts = append(parts, span{s.offset(n.Pos()), s.offset(n.Colon) + 1})
		case ast.Stmt:
			if branch, ok := n.(*ast.IfStmt); ok && goes && len(parts) == 0 {
				parts = append(parts, span{s.offset(branch.Body.Pos()), s.offset(branch.Body.End())})
			}
			parts = append(parts, s.withoutBlocks(n)...)
		case *ast.Field, ast.Spec:
			if narrow == nil {
				narrow = &span{s.offset(n.Pos()), s.offset(n.End())}
			}
		case *ast.FuncDecl:
			if len(parts) == 0 { // the signature
				end := d.end
				if n.Body != nil {
					end = s.offset(n.Body.Lbrace)
				}
				parts = append(parts, span{d.start, end})
			}
		}
	}
	switch {
	case len(parts) > 0:
		return parts
	case narrow != nil:
		return []span{*narrow}
	}
	return []span{{d.start, d.end}}
}

// withoutBlocks are the parts of a statement that are in no block of it.
func (s *source) withoutBlocks(stmt ast.Stmt) []span {
	var parts []span
	at := s.offset(stmt.Pos())
	cut := func(n ast.Node) {
		parts = append(parts, span{at, s.offset(n.Pos())})
		at = s.offset(n.End())
	}
	ast.Inspect(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			cut(n)
			return false
		case *ast.IfStmt:
			if n != stmt { // what follows "else"
				cut(n)
				return false
			}
		case *ast.LabeledStmt:
			cut(n.Stmt)
			return false
		}
		return true
	})
	return append(parts, span{at, s.offset(stmt.End())})
}
