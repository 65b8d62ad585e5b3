package stopvet

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// servers are the paths, or their beginnings, of the modules whose servers are
// known.
var servers = []string{"github.com/valyala/fasthttp", "github.com/gofiber/fiber", "github.com/savsgio/atreugo"}

// ofServer says whether a function is declared by a module with a server, in a
// package that has one: drainrun is none.
func ofServer(f *types.Func) bool {
	return f.Pkg() != nil && !strings.HasSuffix(f.Pkg().Path(), "/drainrun") && isServerPath(f.Pkg().Path())
}

func isServerPath(path string) bool {
	return slices.ContainsFunc(servers, func(server string) bool {
		return path == server || strings.HasPrefix(path, server+"/")
	})
}

func isShutdown(f *types.Func) bool {
	return ofServer(f) && slices.Contains([]string{"Shutdown", "ShutdownWithContext", "ShutdownWithTimeout"}, f.Name())
}

func isServe(f *types.Func) bool {
	if !ofServer(f) || slices.Contains([]string{"Listen", "ListenTCP"}, f.Name()) && strings.HasSuffix(f.Pkg().Path(), "/reuseport") {
		return false
	}
	name := f.Name()
	return strings.HasPrefix(name, "ListenAndServe") || slices.Contains([]string{
		"Listen", "Listener", "ListenTLS", "ListenTLSWithCertificate", "ListenMutualTLS", "ListenMutualTLSWithCertificate",
		"Serve", "ServeTLS", "ServeTLSEmbed",
	}, name)
}

// isRun is drainrun.Run, which does everything right.
func isRun(f *types.Func) bool {
	return f.Name() == "Run" && f.Pkg() != nil && strings.HasSuffix(f.Pkg().Path(), "/drainrun")
}

// isExit is what ends the process and runs nothing that is deferred.
func isExit(f *types.Func) bool {
	switch {
	case f.Pkg() == nil:
		return false
	case f.Pkg().Path() == "os":
		return f.Name() == "Exit"
	}
	return isFatal(f)
}

// isFatal is log.Fatal, also of the usual loggers.
func isFatal(f *types.Func) bool {
	return f.Pkg() != nil && f.Pkg().Path() != "testing" && slices.Contains([]string{"Fatal", "Fatalf", "Fatalln", "Fatalw"}, f.Name())
}

func isNotify(f *types.Func) bool {
	return f.Pkg() != nil && f.Pkg().Path() == "os/signal" && (f.Name() == "Notify" || f.Name() == "NotifyContext")
}

// callee is the function that a node calls, nil if it is no call or of something
// else.
func (p *program) callee(n ast.Node) *types.Func {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil
	}
	f, _ := typeutil.Callee(p.TypesInfo, call).(*types.Func)
	return f
}

func (p *program) isCall(n ast.Node, is func(*types.Func) bool) bool {
	f := p.callee(n)
	return f != nil && is(f)
}

// functions of a package.
type functions map[*types.Func]bool

// closure is the functions of the package in which direct holds, and those that
// call them.
func (p *program) closure(direct func(ast.Node) bool) functions {
	set := functions{}
	for changed := true; changed; {
		changed = false
		for _, file := range p.files {
			for _, d := range file.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				obj, ok := p.TypesInfo.Defs[fn.Name].(*types.Func)
				if !ok || set[obj] {
					continue
				}
				if p.now(fn.Body, func(n ast.Node) bool {
					f := p.callee(n)
					return direct(n) || f != nil && set[f]
				}) {
					set[obj], changed = true, true
				}
			}
		}
	}
	return set
}

// now says whether f holds somewhere in a node that runs when the node does: not
// in goroutines, and in function literals only where they are called or deferred
// there.
func (p *program) now(node ast.Node, f func(ast.Node) bool) bool {
	found := false
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil:
			return false
		case *ast.GoStmt:
			return false
		case *ast.FuncLit:
			return n == node
		case *ast.CallExpr:
			if lit, ok := ast.Unparen(n.Fun).(*ast.FuncLit); ok && p.now(lit.Body, f) {
				found = true
			}
		}
		found = found || f(n)
		return !found
	})
	return found
}

// stopsIn and servesIn say whether a node calls Shutdown or serves, itself or by
// functions of the package.
func (p *program) stopsIn(n ast.Node) bool {
	return p.now(n, func(n ast.Node) bool {
		f := p.callee(n)
		return f != nil && (isShutdown(f) || p.stops[f])
	})
}

func (p *program) servesIn(n ast.Node) bool {
	return p.now(n, func(n ast.Node) bool {
		f := p.callee(n)
		return f != nil && (isServe(f) || p.serves[f])
	})
}

// exit is a statement that ends the process, nil if this is none.
func (p *program) exit(s ast.Stmt) ast.Node {
	if e, ok := s.(*ast.ExprStmt); ok && p.isCall(e.X, isExit) {
		return e.X
	}
	return nil
}

// stopsAside says whether a statement starts a goroutine that calls Shutdown.
func (p *program) stopsAside(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		g, ok := n.(*ast.GoStmt)
		if !ok {
			return !found
		}
		if lit, ok := ast.Unparen(g.Call.Fun).(*ast.FuncLit); ok {
			found = found || p.stopsIn(lit.Body)
		}
		f := p.callee(g.Call)
		found = found || f != nil && (isShutdown(f) || p.stops[f])
		return !found
	})
	return found
}
