package stopvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// waitsHere says whether a node waits for something that another goroutine
// does. What is not known counts as waiting, as it may.
func (p *program) waitsHere(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.UnaryExpr:
		return n.Op == token.ARROW
	case *ast.SelectStmt:
		return true
	case *ast.RangeStmt:
		t := p.TypesInfo.TypeOf(n.X)
		if t == nil {
			return false
		}
		_, ok := t.Underlying().(*types.Chan)
		return ok
	case *ast.CallExpr:
		return p.mayWait(n)
	}
	return false
}

// quiet are packages whose functions wait for no goroutine of the program.
var quiet = []string{"fmt", "log", "log/slog", "os", "errors", "strings", "strconv", "context"}

// quietNames begin the names of methods that are taken for such, too.
var quietNames = []string{"Print", "Info", "Warn", "Error", "Debug", "Fatal", "Close", "Sync", "Flush", "Stop", "Add", "Done", "Store", "String"}

func (p *program) mayWait(call *ast.CallExpr) bool {
	if tv, ok := p.TypesInfo.Types[call.Fun]; ok && (tv.IsType() || tv.IsBuiltin()) {
		return false
	}
	f := p.callee(call)
	switch {
	case f == nil:
		// A function value: a literal is looked into where it stands, and
		// cancelling a context does not wait.
		if _, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
			return false
		}
		t, ok := p.TypesInfo.TypeOf(call.Fun).(*types.Named)
		return !ok || t.Obj().Name() != "CancelFunc"
	case f.Pkg() == nil: // Error of an error
		return false
	case isServe(f), isNotify(f):
		return false
	case isShutdown(f), isRun(f), f.Name() == "Wait":
		return true
	case f.Pkg() == p.Pkg:
		return p.waits[f]
	case slices.Contains(quiet, f.Pkg().Path()):
		return false
	}
	return !slices.ContainsFunc(quietNames, func(name string) bool { return strings.HasPrefix(f.Name(), name) })
}

// waitsIn says whether a node waits, itself or by functions of the package.
func (p *program) waitsIn(n ast.Node) bool { return p.now(n, p.waitsHere) }
