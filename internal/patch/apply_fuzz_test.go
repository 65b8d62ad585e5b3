package patch

import (
	"bytes"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// FuzzApply applies an arbitrary patch set to an arbitrary Go source. It must
// not panic, and where a set of one hunk applies, the tokens of the result have
// to be those that the reference in reference_test.go makes.
func FuzzApply(f *testing.F) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, archive := range archives {
		ar, err := txtar.ParseFile(archive)
		if err != nil {
			f.Fatal(err)
		}
		var patches []byte
		for _, file := range ar.Files {
			if file.Name == "PATCHES.md" {
				patches = file.Data
			}
		}
		for _, file := range ar.Files {
			if strings.HasPrefix(file.Name, "in/") && strings.HasSuffix(file.Name, ".go") {
				f.Add(file.Data, patches, "F", "return")
			}
		}
	}
	const source = "package p\n\nimport \"fmt\"\n\n// F is one.\nfunc F(a, b int) int {\n\tif a == b { // equal\n\t\treturn a /* x */ + 1\n\t}\n\tfmt.Println(`raw\nstring`, a)\n\treturn b\n}\n\ntype T struct{ a, b int }\n\nvar v, w = 1, 2 // last\n"
	for _, hunk := range []string{
		"-return b\n+return a", " if a == b {\n+println()", "-fmt.Println(`raw\n-string`, a)", "-a\n+b", "-1\n+2 // two",
		" return b\n+/* open", " if a == b {\n+/* open", "-b\n+`", " if a == b {\n+_ = `", "+x()\n return b", "-return a\n+{ return a",
	} {
		f.Add([]byte(source), []byte(section("one", "@@ s.go F @@\n"+hunk)), "F", hunk)
	}
	const places = "package p\n\nfunc F(a ...int) int {\n\t// first\n\tif x := G(1, a...); x {\n\t\tG()\n\t} else if G(func() { x() }) { // y\n\t}\nl:\n\tfor i := range 3 {\n\t\tfor {\n\t\t\tbreak l\n\t\t}\n\t} // loop\n\treturn G((1 + 2), 3)\n\t// last\n}\n\ntype F2 struct { /* x */ }\n"
	for _, where := range [][2]string{
		{"F start", "+x()"}, {"F end", "+x() // y"}, {"F before loop", "+x()\n+y()"}, {"F after loop", "+x()"}, {"F2 end", "+a int"},
		{"F if{a...}", "-G(...)\n+H()"}, {"F if{func}", "-func() {\n ...\n+y()\n }"}, {"F if{G(1 ...)}", " x\n+, y"},
		// Of these, none must apply.
		{"F if{x}", " :=\n+// y"}, {"F", " 3) ...\n+// y\n }"}, {"F", "-G((1 + ... 3)\n+4"}, {"F", "-...\n+x"},
		// These do.
		{"F", " G((\n-...\n ),\n+4"}, {"F", "-G(... 3)\n+4"}, {"F", "-for ...\n {\n for"},
	} {
		f.Add([]byte(places), []byte(section("one", "@@ s.go "+where[0]+" @@\n"+where[1])), where[0], where[1])
	}
	f.Add([]byte(source), []byte(section("one", "@@ s.go F @@\n-return b")+"## On what\nprose\n\nWatch: s.go F, v\nWatch: s.go (*T).x\n\n\nWatch: a.go T\nafter\n"), "F", "-b")
	f.Fuzz(func(t *testing.T, source, patches []byte, decl, hunk string) {
		if len(source) > 1<<14 || len(patches) > 1<<14 || len(hunk) > 1<<12 {
			return
		}
		if formatted, err := format.Source(source); err == nil {
			source = formatted // so that gofmt's own changes are few
		}
		// As it comes: anything but a panic.
		if set, err := Parse("PATCHES.md", patches); err == nil {
			src := fstest.MapFS{"go.mod": {Data: []byte("module m\n")}}
			for _, name := range set.Files() {
				src[name] = &fstest.MapFile{Data: source}
			}
			checkApplied(t, set, src, source)
		}
		// And as one hunk, so that the fuzzer need not find the frame.
		set, err := Parse("PATCHES.md", []byte(section("one", "@@ s.go "+decl+" @@\n"+hunk)))
		if err == nil {
			checkApplied(t, set, fstest.MapFS{"s.go": {Data: source}}, source)
		}
	})
}

// checkWatched writes the Watch lines of a set anew, which has to change nothing
// of what the set says, and to come to rest.
func checkWatched(t *testing.T, set *Set) {
	t.Helper()
	var keys []string
	for _, w := range set.Watched {
		keys = append(keys, w.Key())
	}
	slices.Sort(keys)
	text := set.WithWatched(keys)
	again, err := Parse(set.Name, text)
	if err != nil {
		t.Fatalf("with its Watch lines written anew it does not parse: %v\n%s", err, text)
	}
	var have []string
	for _, w := range again.Watched {
		have = append(have, w.Key())
	}
	if !slices.Equal(have, keys) || len(again.Hunks()) != len(set.Hunks()) {
		t.Fatalf("written anew, it watches %q in place of %q, with %d hunks in place of %d\n%s", have, keys, len(again.Hunks()), len(set.Hunks()), text)
	}
	if last := again.WithWatched(keys); !bytes.Equal(last, text) {
		t.Fatalf("written anew twice, it is\n%s\nafter\n%s", last, text)
	}
}

func checkApplied(t *testing.T, set *Set, src fstest.MapFS, source []byte) {
	t.Helper()
	res, err := set.Apply(src)
	for _, h := range set.Hunks() {
		if text, decl, anchor, ok := Locate(src, h); ok {
			if decl.End > len(text) || anchor != (Region{}) && (anchor.Start < decl.Start || anchor.End > decl.End) {
				t.Fatalf("%s is at %+v, and its anchor at %+v", h.Key(), decl, anchor)
			}
			Suggest(src, h, decl.Line+1, decl.EndLine)
		}
	}
	checkWatched(t, set)
	for name, out := range res.Files {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		if _, perr := parser.ParseFile(token.NewFileSet(), name, out, 0); perr != nil {
			t.Fatalf("%s does not parse after the patches: %v\n%s", name, perr, out)
		}
		if formatted, ferr := format.Source(out); ferr != nil || !bytes.Equal(formatted, out) {
			// gofmt itself needs two runs for some comments.
			if again, _ := format.Source(formatted); ferr != nil || !bytes.Equal(again, formatted) {
				t.Fatalf("%s is not formatted (%v)\n%s", name, ferr, out)
			}
		}
	}
	hunks := set.Hunks()
	if err != nil || len(hunks) != 1 {
		return
	}
	h := hunks[0]
	want, ok := expected(t, h, source)
	if !ok {
		return
	}
	have := significant(res.Files[h.File])
	if h.Decl == "import" { // gofmt sorts them
		slices.Sort(have)
		slices.Sort(want)
	}
	if !slices.Equal(have, want) {
		t.Fatalf("a wrong splice:\nhave %q\nwant %q\nhunk: %+v\nresult:\n%s", have, want, h.Lines, res.Files[h.File])
	}
}

// significant are the tokens that gofmt leaves alone in a formatted source: it
// adds and removes semicolons, commas at a line's end and the parentheses of
// groups and conditions, and writes numbers in its own way.
func significant(text []byte) []string {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", fset.Base(), len(text)), text, func(token.Position, string) {}, 0)
	var tokens []string
	for {
		_, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return tokens
		case tok == token.SEMICOLON, tok == token.COMMA, tok == token.LPAREN, tok == token.RPAREN:
		case tok == token.INT, tok == token.FLOAT, tok == token.IMAG:
			tokens = append(tokens, strings.ToLower(lit))
		case tok.IsLiteral():
			tokens = append(tokens, lit)
		default:
			tokens = append(tokens, tok.String())
		}
	}
}
