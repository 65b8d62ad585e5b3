package stopvet

import (
	"go/ast"

	"golang.org/x/tools/go/analysis"
)

// MainReturns finds a main that ends when Serve returns, while Shutdown runs in a
// goroutine.
var MainReturns = analyzer("mainreturns", `main ends when Serve returns, while Shutdown runs in a goroutine

Serve, ListenAndServe and a framework's Listen return before Shutdown has. When
main ends with them, so does the process. (The patched copy holds Serve back until
its drain has ended, 5 s at most. What the goroutine does after Shutdown is not
done even so.) Wait in main until Shutdown has returned, or use drainrun.`, runMainReturns)

func runMainReturns(p *program) {
	if p.Pkg.Name() != "main" || !p.stopsSomewhereAside() {
		return
	}
	for _, file := range p.files {
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Name.Name != "main" || fn.Recv != nil || fn.Body == nil {
				continue
			}
			p.mainReturns(fn.Body.List)
		}
	}
}

func (p *program) mainReturns(list []ast.Stmt) {
	last := -1
	for i, s := range list {
		if _, ok := s.(*ast.DeferStmt); ok {
			if p.waitsIn(s) {
				return
			}
			continue
		}
		if p.servesIn(s) {
			last = i
		}
	}
	if last < 0 || p.waitsIn(list[last]) {
		return
	}
	for _, s := range list[last+1:] {
		if p.waitsIn(s) {
			return
		}
	}
	p.Report(analysis.Diagnostic{
		Pos:     list[last].Pos(),
		Message: "main ends when this returns, while Shutdown runs in a goroutine: wait until Shutdown has returned, or use drainrun",
	})
}

// stopsSomewhereAside says whether a goroutine of the package calls Shutdown, or
// Fiber is asked to start one.
func (p *program) stopsSomewhereAside() bool {
	found := false
	p.inspect(func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = found || p.stopsAside(n)
		case *ast.KeyValueExpr:
			key, ok := n.Key.(*ast.Ident)
			found = found || ok && key.Name == "GracefulContext" && p.fieldOfServer(key)
		}
		return !found
	})
	return found
}

// fieldOfServer says whether a name is a field that a module with a server
// declares.
func (p *program) fieldOfServer(name *ast.Ident) bool {
	obj := p.TypesInfo.ObjectOf(name)
	return obj != nil && obj.Pkg() != nil && isServerPath(obj.Pkg().Path())
}
