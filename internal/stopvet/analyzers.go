package stopvet

import (
	"go/ast"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Analyzers are all of them.
var Analyzers = []*analysis.Analyzer{MainReturns, Prefork, Fatal, Deadline, Exit, SIGTERM}

// URL is where the findings are explained.
const URL = "https://github.com/fastdrain/fastdrain/blob/main/docs/troubleshooting.md#what-doctor-finds-in-sources"

func analyzer(name, doc string, run func(*program)) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: name,
		Doc:  doc,
		URL:  URL,
		Run: func(pass *analysis.Pass) (any, error) {
			p := newProgram(pass)
			// Most packages have nothing to do with any of it.
			if p != nil {
				run(p)
			}
			return nil, nil
		},
	}
}

// program is a package under analysis, without its tests.
type program struct {
	*analysis.Pass
	files []*ast.File
	// stops, serves and waits are functions of the package that call Shutdown,
	// that serve, and that wait for something, each not in a goroutine.
	stops, serves, waits functions
}

// newProgram is nil for a package that has no files but tests.
func newProgram(pass *analysis.Pass) *program {
	p := &program{Pass: pass}
	for _, f := range pass.Files {
		if !strings.HasSuffix(pass.Fset.File(f.Pos()).Name(), "_test.go") {
			p.files = append(p.files, f)
		}
	}
	if len(p.files) == 0 {
		return nil
	}
	p.stops = p.closure(func(n ast.Node) bool { return p.isCall(n, isShutdown) })
	p.serves = p.closure(func(n ast.Node) bool { return p.isCall(n, isServe) })
	p.waits = p.closure(p.waitsHere)
	return p
}

// inspect goes through all files.
func (p *program) inspect(f func(ast.Node) bool) {
	for _, file := range p.files {
		ast.Inspect(file, f)
	}
}

// bodies calls f with the body of each function, literals among them.
func (p *program) bodies(f func(body *ast.BlockStmt)) {
	p.inspect(func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body != nil {
				f(n.Body)
			}
		case *ast.FuncLit:
			f(n.Body)
		}
		return true
	})
}
