package documents

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/internal/tree"
	"github.com/fastdrain/fastdrain/tests/internal/consumer"
)

// embedding has the four structs of docs/migration.md. It says of each whether it
// fulfils the interface, and whose Ready it is.
const embedding = `package main

import (
	"fmt"

	"github.com/valyala/fasthttp"
)

type health struct{}

var asked bool

func (health) Ready() bool { asked = true; return true }

type middle struct{ health }

type own struct{ *fasthttp.Server }

func (own) Ready() bool { asked = true; return true }

type none struct{ *fasthttp.Server }

type beside struct {
	*fasthttp.Server
	health
}

type deeper struct {
	*fasthttp.Server
	middle
}

func say(name string, v any) {
	r, ok := v.(interface{ Ready() bool })
	if !ok {
		fmt.Println(name, "no")
		return
	}
	asked = false
	r.Ready()
	whose := map[bool]string{true: "yours", false: "the server's"}[asked]
	fmt.Println(name, whose)
}

func main() {
	srv := &fasthttp.Server{}
	say("own", own{srv})
	say("none", none{srv})
	say("beside", beside{srv, health{}})
	say("deeper", deeper{srv, middle{}})
}
`

// selector uses what is ambiguous.
const selector = `package main

func init() { beside{}.Ready() }
`

// What docs/migration.md says of a struct that embeds Server is so, with upstream
// and with the copy.
func TestStructsThatEmbedServer(t *testing.T) {
	server, err := filepath.Abs(filepath.Join(root, "server"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, replace, want string }{
		{"upstream", "", "own yours\nnone no\nbeside yours\ndeeper yours\n"},
		{"copy", "\nreplace " + consumer.Fasthttp + " => " + server + "\n", "own yours\nnone the server's\nbeside no\ndeeper the server's\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := consumer.NewModule(t, "embedding")
			goMod, err := os.ReadFile(filepath.Join(m.Dir, "go.mod"))
			if err != nil {
				t.Fatal(err)
			}
			m.Write("go.mod", string(goMod)+test.replace)
			m.Write("main.go", embedding)
			m.Tidy()
			if out := m.Run("go", "run", "."); out != test.want {
				t.Errorf("have\n%swant\n%s", out, test.want)
			}
			m.Write("selector.go", selector)
			out, err := consumer.Run(m.Dir, "go", "build", "-o", os.DevNull, ".")
			if ambiguous := err != nil && strings.Contains(err.Error()+out, "ambiguous selector"); ambiguous != (test.name == "copy") {
				t.Errorf("ambiguous: %v: %v\n%s", ambiguous, err, out)
			}
		})
	}
}

// The names that it lists are all that our files add to Server.
func TestNamesThatTheCopyAddsToServer(t *testing.T) {
	names := []string{"Drain"} // the field, which a patch adds
	upstreams, err := tree.Written(filepath.Join(root, "server"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "server", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if upstreams[filepath.Base(file)] || strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || !fn.Name.IsExported() {
				continue
			}
			if slices.Contains([]string{"Shutdown", "ShutdownWithContext"}, fn.Name.Name) {
				continue // ours in the place of theirs
			}
			if star, ok := fn.Recv.List[0].Type.(*ast.StarExpr); ok && isIdent(star.X, "Server") {
				names = append(names, fn.Name.Name)
			}
		}
	}
	slices.Sort(names)
	text := strings.Join(readDocument(t, "docs/migration.md").lines, "\n")
	_, text, _ = strings.Cut(text, "\nThe copy adds to `Server`")
	sentence, _, _ := strings.Cut(text, ".")
	var listed []string
	for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(sentence, -1) {
		listed = append(listed, m[1])
	}
	slices.Sort(listed)
	if !slices.Equal(names, listed) {
		t.Errorf("docs/migration.md lists %v, and the copy adds %v", listed, names)
	}
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
