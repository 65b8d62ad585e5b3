package documents

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/tests/internal/consumer"
)

var (
	mutantName = regexp.MustCompile(`\b[A-Z]+_[A-Z]+\b`)
	mutantDoc  = regexp.MustCompile(`(?m)^ \*   ([A-Z]+_?[A-Z]+)  +\S`)
	testName   = regexp.MustCompile(`\bTest[A-Z]\w+`)
	goFile     = regexp.MustCompile("`([a-z]+\\.go)`")
)

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What docs/design.md says proves an order is there, and no mutant of the model is
// without its order.
func TestDesignNamesWhatThereIs(t *testing.T) {
	design := readFile(t, "docs/design.md")
	mutants := map[string]bool{}
	for _, m := range mutantDoc.FindAllStringSubmatch(readFile(t, "tests/model/drain.pml"), -1) {
		mutants[m[1]] = true
		if !strings.Contains(design, m[1]) {
			t.Errorf("docs/design.md has no order that the model's mutant %s takes away", m[1])
		}
	}
	if len(mutants) == 0 {
		t.Error("no mutant was found in tests/model/drain.pml: it or this test is wrong")
	}
	for _, name := range mutantName.FindAllString(design, -1) {
		if !mutants[name] {
			t.Errorf("docs/design.md names the mutant %s, which the model does not have", name)
		}
	}
	tests := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(root, "server", "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllStringSubmatch(string(text), -1) {
			tests[m[1]] = true
		}
	}
	for _, name := range testName.FindAllString(design, -1) {
		if !tests[name] {
			t.Errorf("docs/design.md names %s, which server/ does not have", name)
		}
	}
	for _, m := range goFile.FindAllStringSubmatch(design, -1) {
		if _, err := os.Stat(filepath.Join(root, "server", m[1])); err != nil {
			t.Errorf("docs/design.md: %v", err)
		}
	}
}

// Each row of the table of CONTRIBUTING.md that says where something stands leads to
// a declaration.
func TestWhereItStands(t *testing.T) {
	_, table, found := strings.Cut(readFile(t, "CONTRIBUTING.md"), "## Where it stands\n")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := regexp.MustCompile("(?m)^\\|[^|]+\\| `([^`]+)` \\| `([^`]+)` \\|$").FindAllStringSubmatch(table, -1)
	if !found || len(rows) == 0 {
		t.Fatal("CONTRIBUTING.md has no table of where things stand")
	}
	for _, row := range rows {
		file, name := row[1], row[2]
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, filepath.FromSlash(file)), nil, 0)
		if err != nil {
			t.Errorf("CONTRIBUTING.md: %v", err)
			continue
		}
		if !slices.ContainsFunc(f.Decls, func(d ast.Decl) bool { return declares(d, name) }) {
			t.Errorf("CONTRIBUTING.md leads to %s in %s, which does not declare it", name, file)
		}
	}
}

func declares(d ast.Decl, name string) bool {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Name.Name == name
	case *ast.GenDecl:
		return slices.ContainsFunc(d.Specs, func(s ast.Spec) bool {
			switch s := s.(type) {
			case *ast.TypeSpec:
				return s.Name.Name == name
			case *ast.ValueSpec:
				return slices.ContainsFunc(s.Names, func(n *ast.Ident) bool { return n.Name == name })
			}
			return false
		})
	}
	return false
}

// The names of outcomes, verdicts and phases are written in one file each. Those
// that are words of other things, too ("forced"), are left to the rest of its list.
func TestNamesStandInOneFile(t *testing.T) {
	home := map[string]string{
		"closed_after_response": "server/outcomes.go", "closed_idle": "server/outcomes.go",
		"client_closed": "server/outcomes.go", "left_open": "server/outcomes.go",
		"graceful": "server/verdict.go", "timed_out": "server/verdict.go server/phase.go",
		"lame_duck": "server/phase.go", "closing_listeners": "server/phase.go", "draining": "server/phase.go",
	}
	out, err := consumer.Run(root, "git", "ls-files", "server", "metrics", "cmd", "internal")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range strings.Fields(out) {
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || strings.Contains(file, "/testdata/") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		} else if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			name, err := strconv.Unquote(lit.Value)
			homes, ok := home[name]
			if err != nil || !ok {
				return true
			}
			seen[name] = true
			if !slices.Contains(strings.Fields(homes), file) {
				t.Errorf("%s writes %q: take it from %s", file, name, homes)
			}
			return true
		})
	}
	for name := range home {
		if !seen[name] {
			t.Errorf("%q stands nowhere", name)
		}
	}
}
