package stopvet

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
	"time"

	"golang.org/x/tools/go/analysis"
)

// Window is how long waiting connections are read at most where nothing else is
// set (docs/window.md).
const Window = 3 * time.Second

// Deadline finds a Shutdown whose context ends before the window does.
var Deadline = analyzer("stopdeadline", `Shutdown is given less time than its window

The final-read window lasts up to 3 s, or as long as Drain.FinalRead says, and
begins after the lame duck. A context that ends before shortens it, and clients
whose next request is on its way lose it. Running requests need their time, too.`, func(p *program) {
	least, why := p.least()
	p.bodies(func(body *ast.BlockStmt) {
		given := p.timeouts(body)
		ast.Inspect(body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !p.isCall(call, isShutdown) || len(call.Args) != 1 {
				return true
			}
			d, ok := given[p.object(call.Args[0])]
			if strings.HasSuffix(p.callee(call).Name(), "WithTimeout") {
				d, ok = p.duration(call.Args[0])
			}
			if ok {
				p.shorter(call, d, least, why)
			}
			return true
		})
	})
	p.inspect(func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, ok := kv.Key.(*ast.Ident)
		if d, isConst := p.duration(kv.Value); ok && isConst && d > 0 && key.Name == "Grace" && p.fieldOfServer(key) {
			p.shorter(kv, d, least, why)
		}
		return true
	})
})

func (p *program) shorter(n ast.Node, d, least time.Duration, why string) {
	if d < least {
		p.Report(analysis.Diagnostic{Pos: n.Pos(), Message: fmt.Sprintf("Shutdown has %v here, and needs more than %v: %s, and running requests", d, least, why)})
	}
}

// timeouts are the contexts that a function makes with a constant timeout. Two of
// a variable are none.
func (p *program) timeouts(body *ast.BlockStmt) map[types.Object]time.Duration {
	given := map[types.Object]time.Duration{}
	ast.Inspect(body, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || len(assign.Rhs) != 1 {
			return true
		}
		obj := p.object(assign.Lhs[0])
		f := p.callee(assign.Rhs[0])
		if obj == nil || f == nil || f.Pkg() == nil || f.Pkg().Path() != "context" || f.Name() != "WithTimeout" && f.Name() != "WithTimeoutCause" {
			return true
		}
		d, ok := p.duration(assign.Rhs[0].(*ast.CallExpr).Args[1])
		if have, twice := given[obj]; ok && (!twice || d > have) {
			given[obj] = d
		}
		return true
	})
	return given
}

// duration is a constant of nanoseconds.
func (p *program) duration(e ast.Expr) (time.Duration, bool) {
	tv, ok := p.TypesInfo.Types[e]
	if !ok || tv.Value == nil || tv.Value.Kind() != constant.Int {
		return 0, false
	}
	n, ok := constant.Int64Val(tv.Value)
	return time.Duration(n), ok
}

// least is the time of lame duck and window, as far as the package sets them.
func (p *program) least() (time.Duration, string) {
	var duck, window time.Duration
	window = Window
	set := func(name *ast.Ident, e ast.Expr) {
		d, ok := p.duration(e)
		if !ok || d == 0 || !p.fieldOfServer(name) {
			return
		}
		switch name.Name {
		case "LameDuck":
			duck = max(duck, d)
		case "FinalRead":
			window = max(d, 0)
		}
	}
	p.inspect(func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if sel, ok := n.Lhs[0].(*ast.SelectorExpr); ok && len(n.Lhs) == 1 && len(n.Rhs) == 1 {
				set(sel.Sel, n.Rhs[0])
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok {
				set(key, n.Value)
			}
		}
		return true
	})
	why := fmt.Sprintf("the window lasts up to %v", window)
	if duck > 0 {
		why = fmt.Sprintf("the lame duck lasts %v, the window up to %v", duck, window)
	}
	return duck + window, why
}
