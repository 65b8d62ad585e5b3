package stopvet

import (
	"go/ast"
	"go/constant"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// SIGTERM finds a package that asks for os.Interrupt and not for SIGTERM.
var SIGTERM = analyzer("stopsignal", `os.Interrupt is asked for, and SIGTERM is not

Orchestrators, systemd and docker stop send SIGTERM. Ctrl-C sends SIGINT, which is
os.Interrupt. Who asks for the latter alone is ended by the former at once.`, func(p *program) {
	var interrupts []*ast.CallExpr
	term := false
	p.inspect(func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !p.isCall(call, isNotify) {
			return true
		}
		args := call.Args[1:]
		term = term || len(args) == 0 || call.Ellipsis.IsValid() // all of them, or unknown
		for _, arg := range args {
			switch n, known := p.signal(arg); {
			case !known, n == sigterm:
				term = true
			case n == sigint:
				if !slices.Contains(interrupts, call) {
					interrupts = append(interrupts, call)
				}
			}
		}
		return true
	})
	for _, call := range interrupts {
		if !term {
			p.Report(analysis.Diagnostic{Pos: call.Pos(), Message: "SIGTERM is not asked for, and ends the process at once: ask for syscall.SIGTERM, too"})
		}
	}
})

// The numbers are the same wherever Go has signals.
const (
	sigint  = 2
	sigkill = 9
	sigterm = 15
)

// signal is the number of a signal.
func (p *program) signal(e ast.Expr) (int64, bool) {
	if tv, ok := p.TypesInfo.Types[e]; ok && tv.Value != nil && tv.Value.Kind() == constant.Int {
		return constant.Int64Val(tv.Value)
	}
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return 0, false
	}
	obj := p.TypesInfo.ObjectOf(sel.Sel)
	if obj == nil || obj.Pkg() == nil || obj.Pkg().Path() != "os" {
		return 0, false
	}
	switch obj.Name() {
	case "Interrupt":
		return sigint, true
	case "Kill":
		return sigkill, true
	}
	return 0, false
}
