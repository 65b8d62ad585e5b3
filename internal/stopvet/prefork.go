package stopvet

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Prefork finds prefork, of Fiber and of fasthttp.
var Prefork = analyzer("prefork", `prefork: the master serves nothing, and nothing drains

A SIGTERM to the process reaches the master, which only watches its children and
kills them when it ends. Run processes of your own that listen with SO_REUSEPORT.`, func(p *program) {
	p.inspect(func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok {
				p.preforks(key, n.Value)
			}
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if sel, ok := l.(*ast.SelectorExpr); ok && len(n.Rhs) == len(n.Lhs) {
					p.preforks(sel.Sel, n.Rhs[i])
				}
			}
		case *ast.CallExpr:
			if p.isCall(n, func(f *types.Func) bool { return isServe(f) && strings.HasSuffix(f.Pkg().Path(), "/prefork") }) {
				p.reportPrefork(n)
			}
		}
		return true
	})
})

func (p *program) preforks(name *ast.Ident, e ast.Expr) {
	if name.Name != "Prefork" && name.Name != "EnablePrefork" || !p.fieldOfServer(name) {
		return
	}
	if v := p.TypesInfo.Types[e].Value; v != nil && v.Kind() == constant.Bool && constant.BoolVal(v) {
		p.reportPrefork(name)
	}
}

func (p *program) reportPrefork(n ast.Node) {
	p.Report(analysis.Diagnostic{Pos: n.Pos(), Message: "prefork: SIGTERM reaches the master, which serves nothing: run processes of your own that listen with SO_REUSEPORT"})
}
