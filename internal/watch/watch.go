// Package watch finds the declarations of upstream's that our code relies on
// although no patch touches them.
//
// The rule: a function or method of upstream's package is watched if one of our
// files there uses it, or if it uses a field that tells of the stop or of the
// connections ([Fields]).
//
// Types, fields, variables and constants are not watched: where one of them
// changes such that it matters, our code does not compile, or a function that is
// watched changes with it. Files for other systems than the one that the search
// runs on are not looked into.
package watch

import (
	"context"
	"fmt"
	"go/ast"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/fastdrain/fastdrain/internal/patch"
)

// Fields are the fields of upstream's types whose users are watched.
var Fields = map[string][]string{
	"Server":     {"concurrency", "done", "idleConns", "open", "stop"},
	"workerPool": {"connState", "workersCount"}, // how a worker ends
}

// Find looks through the package in dir, a complete patched copy, and returns
// the files and names of what is to be watched, sorted, as patches name them.
// ours says whether a file is one of ours, touched whether a declaration is
// touched by a patch. Test files count as neither's.
func Find(ctx context.Context, dir string, ours, touched func(name string) bool) ([]string, error) {
	// A link in the path would keep the files' names from being relative to it.
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	pkgs, err := packages.Load(&packages.Config{
		Context: ctx,
		Mode:    packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo,
		Dir:     dir,
		// As check compiles: so that directories are not in the build cache's keys.
		BuildFlags: []string{"-trimpath"},
		Env:        append(os.Environ(), "GOWORK=off", "PWD="+dir),
	}, ".")
	if err != nil {
		return nil, fmt.Errorf("loading the package in %s: %w", dir, err)
	}
	if len(pkgs) != 1 || len(pkgs[0].Errors) > 0 {
		return nil, fmt.Errorf("loading the package in %s: %v", dir, errorsOf(pkgs))
	}
	w := &search{pkg: pkgs[0], dir: dir, ours: ours, names: map[types.Object]string{}, found: map[string]bool{}}
	w.declared(touched)
	w.used()
	names := make([]string, 0, len(w.found))
	for name := range w.found {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

type search struct {
	pkg  *packages.Package
	dir  string
	ours func(string) bool
	// names are of upstream's functions that no patch touches.
	names map[types.Object]string
	found map[string]bool
}

func (w *search) file(f *ast.File) string {
	rel, err := filepath.Rel(w.dir, w.pkg.Fset.PositionFor(f.Pos(), false).Filename)
	if err != nil {
		return ""
	}
	return filepath.ToSlash(rel)
}

// declared notes upstream's functions.
func (w *search) declared(touched func(string) bool) {
	for _, f := range w.pkg.Syntax {
		file := w.file(f)
		if w.ours(file) {
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				if name := file + " " + patch.FuncName(fn); !touched(name) {
					w.names[w.pkg.TypesInfo.Defs[fn.Name]] = name
				}
			}
		}
	}
}

// used looks at every name in our files, and at those of the fields in
// upstream's.
func (w *search) used() {
	fields := w.fields()
	for _, f := range w.pkg.Syntax {
		ours := w.ours(w.file(f))
		for _, d := range f.Decls {
			ast.Inspect(d, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok {
					return true
				}
				obj := w.pkg.TypesInfo.Uses[id]
				if fn, ok := obj.(*types.Func); ok {
					obj = fn.Origin()
				}
				if ours {
					w.find(obj)
				} else if fn, ok := d.(*ast.FuncDecl); ok && fields[obj] {
					w.find(w.pkg.TypesInfo.Defs[fn.Name])
				}
				return true
			})
		}
	}
}

func (w *search) find(obj types.Object) {
	if name, ok := w.names[obj]; ok {
		w.found[name] = true
	}
}

// fields are the objects of Fields.
func (w *search) fields() map[types.Object]bool {
	fields := map[types.Object]bool{}
	for name, those := range Fields {
		t := w.pkg.Types.Scope().Lookup(name)
		if t == nil {
			continue
		}
		if s, ok := t.Type().Underlying().(*types.Struct); ok {
			for f := range s.Fields() {
				if slices.Contains(those, f.Name()) {
					fields[f] = true
				}
			}
		}
	}
	return fields
}

func errorsOf(pkgs []*packages.Package) string {
	var lines []string
	for _, p := range pkgs {
		for _, e := range p.Errors {
			lines = append(lines, e.Error())
		}
	}
	if len(lines) == 0 {
		return fmt.Sprintf("it holds %d packages", len(pkgs))
	}
	if len(lines) > 5 {
		lines = append(lines[:5], "...")
	}
	return strings.Join(lines, "\n")
}
