package stopvet

import (
	"go/ast"

	"golang.org/x/tools/go/analysis"
)

// Exit finds what ends the process before Shutdown has returned.
var Exit = analyzer("stopexit", `the process exits before Shutdown has returned

os.Exit and log.Fatal end the process at once: goroutines are cut off, and deferred
calls are not made. Call Shutdown, wait until it has returned, and exit then.`, func(p *program) {
	p.bodies(func(body *ast.BlockStmt) {
		ast.Inspect(body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false // a body of its own
			case *ast.BlockStmt:
				p.exits(n.List)
			case *ast.CaseClause:
				p.exits(n.Body)
			case *ast.CommClause:
				p.exits(n.Body)
			}
			return true
		})
	})
})

func (p *program) exits(list []ast.Stmt) {
	aside, deferred := false, false
	for _, s := range list {
		if exit := p.exit(s); exit != nil {
			switch {
			case aside:
				p.Report(analysis.Diagnostic{Pos: exit.Pos(), Message: "the process exits here while Shutdown runs in a goroutine: wait until it has returned"})
			case deferred:
				p.Report(analysis.Diagnostic{Pos: exit.Pos(), Message: "the process exits here, and the deferred Shutdown is never called: call it before"})
			}
			return
		}
		switch s := s.(type) {
		case *ast.GoStmt:
			aside = aside || p.stopsAside(s)
		case *ast.DeferStmt:
			f := p.callee(s.Call)
			lit, ok := ast.Unparen(s.Call.Fun).(*ast.FuncLit)
			deferred = deferred || f != nil && (isShutdown(f) || p.stops[f]) || ok && p.stopsIn(lit.Body)
		default:
			if p.waitsIn(s) {
				aside = false
			}
			if p.stopsIn(s) {
				deferred = false
			}
		}
	}
}
