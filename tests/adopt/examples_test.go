package adopt

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// Every exported identifier is used by an example, or is part of something that
// is: the type of a result or of a field, or a constant beside a used one.
func TestExportedIdentifiersHaveAnExample(t *testing.T) {
	for _, dir := range []string{"server", "server/drainrun", "server/drainhandler", "metrics"} {
		exported, used := scan(t, filepath.Join(root, filepath.FromSlash(dir)))
		if len(exported) == 0 {
			t.Errorf("%s exports nothing: this test looks at the wrong place", dir)
		}
		for _, name := range slices.Sorted(maps.Keys(exported)) {
			if !used[name] {
				t.Errorf("%s: no example uses %s", dir, name)
			}
		}
	}
}

// scan returns what our files in a folder export, functions, methods, types,
// variables and constants, and what is used of it.
func scan(t *testing.T, dir string) (exported, used map[string]bool) {
	t.Helper()
	exported, used = map[string]bool{}, map[string]bool{}
	parts := map[string][]string{} // the identifiers in an exported declaration
	theirs, err := tree.Written(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || theirs[f.Name()] {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, f.Name()), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if strings.HasSuffix(f.Name(), "_test.go") {
				if fn, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Example") {
					for _, name := range identifiers(fn) {
						used[name] = true
					}
				}
				continue
			}
			for _, name := range exports(decl) {
				exported[name] = true
				parts[name] = append(parts[name], identifiers(shape(decl))...)
			}
		}
	}
	for grown := true; grown; {
		grown = false
		for name := range exported {
			if !used[name] {
				continue
			}
			for _, part := range parts[name] {
				grown = grown || !used[part]
				used[part] = true
			}
		}
	}
	return exported, used
}

// shape is a declaration without what a function does.
func shape(decl ast.Decl) ast.Node {
	if fn, ok := decl.(*ast.FuncDecl); ok {
		return fn.Type
	}
	return decl
}

func identifiers(node ast.Node) []string {
	var names []string
	ast.Inspect(node, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			names = append(names, id.Name)
		}
		return true
	})
	return names
}

// interfaces are methods that nobody calls by name.
var interfaces = []string{"Error", "Unwrap", "MarshalJSON", "Describe", "Collect"}

func exports(decl ast.Decl) []string {
	var names []string
	switch d := decl.(type) {
	case *ast.FuncDecl:
		receiver := ""
		if d.Recv != nil {
			all := identifiers(d.Recv)
			receiver = all[len(all)-1]
		}
		if d.Recv == nil || ast.IsExported(receiver) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return !ast.IsExported(name) || slices.Contains(interfaces, name)
	})
}
