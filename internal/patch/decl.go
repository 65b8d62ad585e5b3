package patch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"sort"
)

// source is a pristine Go file and the places of its declarations.
type source struct {
	name  string
	text  []byte
	fset  *token.FileSet
	file  *ast.File
	decls map[string][]*decl
}

// offset is where in the file a node's position is.
func (s *source) offset(p token.Pos) int { return s.fset.PositionFor(p, false).Offset }

// decl is a place in a file: a function, a method, a spec of a type, variable
// or constant, or the imports.
type decl struct {
	// keyword is "func", "type", "var", "const" or "import".
	keyword string
	// start and end are the offsets of the declaration without its comments; a
	// spec that stands alone has its keyword with it.
	start, end int
	// dropStart is where the doc comment begins, or start.
	dropStart int
	node      ast.Node
	// noDrop says why the declaration cannot be dropped, if so.
	noDrop string
	// body is that of a function, nil in other declarations.
	body *ast.BlockStmt
	// closing is the brace that closes a function's body or a struct type.
	closing token.Pos
}

// parseSource finds the declarations of a file.
func parseSource(name string, text []byte) (*source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s := &source{name: name, text: text, fset: fset, file: file, decls: map[string][]*decl{}}
	add := func(name, keyword string, node ast.Node, doc *ast.CommentGroup) *decl {
		d := &decl{keyword: keyword, node: node, start: s.offset(node.Pos()), end: s.offset(node.End())}
		d.dropStart = d.start
		if doc != nil {
			d.dropStart = s.offset(doc.Pos())
		}
		s.decls[name] = append(s.decls[name], d)
		return d
	}
	for _, node := range file.Decls {
		switch node := node.(type) {
		case *ast.FuncDecl:
			d := add(FuncName(node), "func", node, node.Doc)
			if node.Body != nil {
				d.body, d.closing = node.Body, node.Body.Rbrace
			}
		case *ast.GenDecl:
			s.addGen(node, add)
		}
	}
	return s, nil
}

func (s *source) addGen(gen *ast.GenDecl, add func(string, string, ast.Node, *ast.CommentGroup) *decl) {
	keyword := gen.Tok.String()
	if gen.Tok == token.IMPORT {
		add("import", keyword, gen, gen.Doc)
		return
	}
	enumerated := false // constants whose values depend on their place
	for _, spec := range gen.Specs {
		if v, ok := spec.(*ast.ValueSpec); ok && gen.Tok == token.CONST {
			enumerated = enumerated || len(v.Values) == 0 || usesIota(v)
		}
	}
	for _, spec := range gen.Specs {
		var names []*ast.Ident
		var doc *ast.CommentGroup
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			names, doc = []*ast.Ident{spec.Name}, spec.Doc
		case *ast.ValueSpec:
			names, doc = spec.Names, spec.Doc
		}
		var node ast.Node = spec
		if !gen.Lparen.IsValid() {
			node, doc = gen, gen.Doc
		}
		for _, name := range names {
			d := add(name.Name, keyword, node, doc)
			if t, ok := spec.(*ast.TypeSpec); ok {
				if t, ok := t.Type.(*ast.StructType); ok {
					d.closing = t.Fields.Closing
				}
			}
			switch {
			case len(names) > 1:
				d.noDrop = "it is declared together with others in one spec"
			case enumerated && gen.Lparen.IsValid():
				d.noDrop = "the constants of its group are numbered by their place"
			}
		}
	}
}

func usesIota(spec *ast.ValueSpec) bool {
	found := false
	for _, v := range spec.Values {
		ast.Inspect(v, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == "iota" {
				found = true
			}
			return !found
		})
	}
	return found
}

// FuncName is the name of a function as hunk headers write it: the receiver
// without its name and without type parameters.
func FuncName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	star := ""
	t := f.Recv.List[0].Type
	for {
		switch e := t.(type) {
		case *ast.ParenExpr:
			t = e.X
			continue
		case *ast.StarExpr:
			star, t = "*", e.X
			continue
		case *ast.IndexExpr:
			t = e.X
			continue
		case *ast.IndexListExpr:
			t = e.X
			continue
		case *ast.Ident:
			return "(" + star + e.Name + ")." + f.Name.Name
		}
		return f.Name.Name
	}
}

// lookup finds the one declaration that a hunk is about.
func (s *source) lookup(h *Hunk) (*decl, error) {
	var found []*decl
	other := ""
	for _, d := range s.decls[h.Decl] {
		if h.Keyword != "" && h.Keyword != d.keyword {
			other = d.keyword
			continue
		}
		found = append(found, d)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("the file has %d declarations of that name", len(found))
	case other != "":
		return nil, fmt.Errorf("the declaration is a %s and not a %s", other, h.Keyword)
	}
	if near := s.near(h.Decl); near != "" {
		return nil, fmt.Errorf("there is no such declaration in the file (but %s)", near)
	}
	return nil, fmt.Errorf("there is no such declaration in the file")
}

// near finds a declaration of the same last name: a method whose receiver is or
// is not a pointer, or that has moved to another type.
func (s *source) near(name string) string {
	var names []string
	for have := range s.decls {
		if lastName(have) == lastName(name) {
			names = append(names, have)
		}
	}
	sort.Strings(names)
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

func lastName(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[i+1:]
		}
	}
	return name
}

// tokens are those of the declaration, their offsets being the file's.
func (s *source) tokens(d *decl) []tok {
	tokens, _ := scan(s.text[d.start:d.end]) // the file has been parsed
	for i := range tokens {
		tokens[i].start += d.start
		tokens[i].end += d.start
	}
	return tokens
}
