package stopvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// Fatal finds log.Fatal of what Serve returns, whatever that is.
var Fatal = analyzer("servefatal", `log.Fatal of what Serve returns

Serve returns nil after a stop, and log.Fatal ends the process with exit code 1 all
the same, at once: Shutdown has not returned, nothing that is deferred runs, and
the orchestrator sees a failure. Look at the error first.`, func(p *program) {
	p.inspect(func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if !p.isCall(n, isFatal) {
				return true
			}
			for _, arg := range n.Args {
				if p.servesIn(arg) {
					p.reportFatal(n)
				}
			}
		case *ast.BlockStmt:
			p.fatalNext(n.List)
		}
		return true
	})
})

// fatalNext finds err := Serve(), and log.Fatal(err) as the next statement.
func (p *program) fatalNext(list []ast.Stmt) {
	for i := 1; i < len(list); i++ {
		assign, ok := list[i-1].(*ast.AssignStmt)
		if !ok || len(assign.Lhs) != 1 || !p.servesIn(assign.Rhs[0]) {
			continue
		}
		err := p.object(assign.Lhs[0])
		e, ok := list[i].(*ast.ExprStmt)
		if !ok || err == nil || !p.isCall(e.X, isFatal) {
			continue
		}
		for _, arg := range e.X.(*ast.CallExpr).Args {
			if p.object(arg) == err {
				p.reportFatal(e.X)
			}
		}
	}
}

func (p *program) object(e ast.Expr) types.Object {
	if name, ok := ast.Unparen(e).(*ast.Ident); ok {
		return p.TypesInfo.ObjectOf(name)
	}
	return nil
}

func (p *program) reportFatal(n ast.Node) {
	p.Report(analysis.Diagnostic{Pos: n.Pos(), Message: "Serve returns nil after a stop, and this exits with code 1 before Shutdown has returned: look at the error first, and wait for Shutdown"})
}
