package documents

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/tests/internal/consumer"
)

// snippetImports are the packages that a snippet of statements may use without
// saying so.
var snippetImports = map[string]string{
	"context":  "context",
	"errors":   "errors",
	"fasthttp": consumer.Fasthttp,
	"fmt":      "fmt",
	"json":     "encoding/json",
	"log":      "log",
	"os":       "os",
	"signal":   "os/signal",
	"slog":     "log/slog",
	"syscall":  "syscall",
	"time":     "time",
}

func TestGoCodeOfTheReadmeCompilesWithTheCopy(t *testing.T) {
	m := consumer.NewModule(t, "readme")
	count := 0
	for _, name := range append([]string{"README.md", "CONTRIBUTING.md"}, pages("docs/*.md")...) {
		d := readDocument(t, name)
		for _, block := range d.codeBlocks(t) {
			if block.language != "go" {
				continue
			}
			source, err := snippet(name, block)
			if err != nil {
				t.Errorf("%s:%d: %v", name, block.line, err)
				continue
			}
			m.Write(fmt.Sprintf("snippet%d/snippet.go", count), source)
			count++
		}
	}
	if count == 0 {
		t.Fatal("no Go code is in README.md, so there is nothing that a reader could use")
	}
	// So do the packages that no page imports: the copy has our files in another
	// form than this repository.
	m.Write("all/all.go", "package all\n\nimport (\n\t_ \"github.com/valyala/fasthttp/drainhandler\"\n\t_ \"github.com/valyala/fasthttp/drainrun\"\n)\n")
	m.Vendor(fastdrain)
	m.Run("go", "vet", "./...")
	t.Logf("%d snippets compile", count)
}

// snippet makes a Go file of a block of code, whose compiler errors name the
// line of the document. A block that is no file is the body of a function that
// has a server srv.
func snippet(name string, block codeBlock) (string, error) {
	origin := fmt.Sprintf("//line %s:%d\n", name, block.line)
	if strings.HasPrefix(block.text, "package ") {
		return origin + block.text, nil
	}
	body := "func _(srv *fasthttp.Server) {\n{\n" + origin + block.text + "}\n}\n"
	file, err := parser.ParseFile(token.NewFileSet(), name, "package snippet\n"+body, 0)
	if err != nil {
		return "", err
	}
	var used []string
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && snippetImports[x.Name] != "" {
				used = append(used, x.Name)
			}
		}
		return true
	})
	slices.Sort(used)
	var source strings.Builder
	source.WriteString("package snippet\n")
	for _, name := range slices.Compact(used) {
		fmt.Fprintf(&source, "import %q\n", snippetImports[name])
	}
	return source.String() + body, nil
}
