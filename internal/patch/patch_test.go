package patch

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// TestCases runs the archives of testdata. Each holds a PATCHES.md, the pristine
// files under in/, and either the patched ones under want/ or the errors, one a
// line. The text before the first file says what the case is about.
func TestCases(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(archive)
			if err != nil {
				t.Fatal(err)
			}
			var patches []byte
			var wantErrors string
			in, want := fstest.MapFS{}, map[string]string{}
			for _, f := range ar.Files {
				if name, ok := strings.CutPrefix(f.Name, "in/"); ok {
					in[name] = &fstest.MapFile{Data: f.Data}
				} else if name, ok := strings.CutPrefix(f.Name, "want/"); ok {
					want[name] = string(f.Data)
				} else if f.Name == "PATCHES.md" {
					patches = f.Data
				} else if f.Name == "errors" {
					wantErrors = string(f.Data)
				} else {
					t.Fatalf("unknown file %s in the archive", f.Name)
				}
			}
			before := maps.Clone(in)
			files, err := parseAndApply(patches, in)
			if got := errorLines(err); got != wantErrors {
				t.Errorf("errors:\n%swant:\n%s", got, wantErrors)
			}
			if err == nil {
				for _, name := range slices.Sorted(maps.Keys(files)) {
					if string(files[name]) != want[name] {
						t.Errorf("%s:\n%s\nwant:\n%s", name, files[name], want[name])
					}
				}
				for name := range want {
					if _, ok := files[name]; !ok {
						t.Errorf("%s is not among the patched files", name)
					}
				}
			}
			if !maps.EqualFunc(in, before, func(a, b *fstest.MapFile) bool { return string(a.Data) == string(b.Data) }) {
				t.Errorf("the pristine files were changed")
			}
		})
	}
}

func parseAndApply(patches []byte, src fs.FS) (map[string][]byte, error) {
	set, err := Parse("PATCHES.md", patches)
	if err != nil {
		return nil, err
	}
	res, err := set.Apply(src)
	return res.Files, err
}

func errorLines(err error) string {
	if err == nil {
		return ""
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out strings.Builder
		for _, e := range joined.Unwrap() {
			out.WriteString(errorLines(e))
		}
		return out.String()
	}
	return err.Error() + "\n"
}

// section is a patch whose block is hunk.
func section(name, hunk string) string {
	return fmt.Sprintf("### %s\nWhy: a reason.\nDrop when: never.\nProved by: TestIt\n\n```diff\n%s\n```\n", name, hunk)
}

func TestFieldsInAnyLayout(t *testing.T) {
	want := Patch{Why: "it breaks: often.", DropWhen: "upstream does it.", ProvedBy: []string{"TestA", "TestB"}}
	for name, prose := range map[string]string{
		"paragraphs": "Why: it breaks:\noften.\n\nDrop when: upstream does it.\n\nProved by: TestA, TestB\n",
		"one line":   "Why: it breaks: often. Drop when: upstream does it. Proved by: `TestA` and `TestB/sub`.",
		"bold":       "**Why:** it breaks: often.\n**Drop when:** upstream does it.\n**Proved by:** TestA, TestB, TestA",
	} {
		t.Run(name, func(t *testing.T) {
			set, err := Parse("PATCHES.md", []byte("### name\n\n"+prose+"\n```diff\n@@ s.go F @@\n-a\n```\n"))
			if err != nil {
				t.Fatal(err)
			}
			p := set.Patches[0]
			if p.Name != "name" || p.Why != want.Why || p.DropWhen != want.DropWhen || !slices.Equal(p.ProvedBy, want.ProvedBy) {
				t.Errorf("got %q, %q, %q, %q; want %q, %q, %q", p.Name, p.Why, p.DropWhen, p.ProvedBy, want.Why, want.DropWhen, want.ProvedBy)
			}
		})
	}
}

func TestHashesIgnoreLayoutAndCommentsOnly(t *testing.T) {
	const pristine = "package p\n\nfunc F() {\n\tx(1, 2)\n}\n"
	hash := func(src string) string {
		t.Helper()
		set, err := Parse("PATCHES.md", []byte(section("name", "@@ s.go func F @@\n+y()\n x")))
		if err != nil {
			t.Fatal(err)
		}
		res, err := set.Apply(fstest.MapFS{"s.go": {Data: []byte(src)}})
		if err != nil {
			t.Fatal(err)
		}
		h, ok := res.Declarations["s.go F"]
		if !ok {
			t.Fatalf("no hash for s.go F among %v", res.Declarations)
		}
		return h
	}
	want := hash(pristine)
	for _, same := range []string{
		"package p\n\n// F is new here.\nfunc F() { x(1,\n2) /* why */ }\n",
		"package p\n\nvar other = 1\n\nfunc F() {\n\n\tx(1, 2);\n}\n",
	} {
		if got := hash(same); got != want {
			t.Errorf("the hash differs from the pristine one's for\n%s", same)
		}
	}
	for _, other := range []string{
		"package p\n\nfunc F() {\n\tx(1, 3)\n}\n",
		"package p\n\nfunc F() {\n\tx(1, 2)\n\tz()\n}\n",
		"package p\n\nfunc F() int {\n\tx(1, 2)\n}\n",
	} {
		if got := hash(other); got == want {
			t.Errorf("the hash is the pristine one's for\n%s", other)
		}
	}
}

// A failed patch must not leave a file with the others' edits behind, and must
// not keep files that it does not touch from being patched.
func TestFailureLeavesTheFileOut(t *testing.T) {
	text := section("good", "@@ a.go F @@\n-x\n+y") + section("bad", "@@ a.go F @@\n-z\n+y") + section("elsewhere", "@@ b.go G @@\n-x\n+y")
	set, err := Parse("PATCHES.md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	res, err := set.Apply(fstest.MapFS{
		"a.go": {Data: []byte("package p\n\nfunc F() { x() }\n")},
		"b.go": {Data: []byte("package p\n\nfunc G() { x() }\n")},
	})
	var hunkErr *HunkError
	if !errors.As(err, &hunkErr) || hunkErr.Hunk.Patch != "bad" || hunkErr.Kind != KindNoMatch {
		t.Fatalf("got the error %v, want no match of patch bad", err)
	}
	if _, ok := res.Files["a.go"]; ok {
		t.Errorf("a.go is among the files, but a patch of it failed:\n%s", res.Files["a.go"])
	}
	if got, want := string(res.Files["b.go"]), "package p\n\nfunc G() { y() }\n"; got != want {
		t.Errorf("b.go is %q, want %q", got, want)
	}
	if len(res.Errors) != 1 || res.Errors[set.Patches[1].Hunks[0]] == nil {
		t.Errorf("the errors by hunk are %v, want one for the hunk of patch bad", res.Errors)
	}
}

func TestWindowsLineEnds(t *testing.T) {
	crlf := strings.NewReplacer("\n", "\r\n")
	set, err := Parse("PATCHES.md", []byte(crlf.Replace(section("name", "@@ s.go F @@\n-x()\n+y()"))))
	if err != nil {
		t.Fatal(err)
	}
	res, err := set.Apply(fstest.MapFS{"s.go": {Data: []byte("package p\n\nfunc F() { x() }\n")}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(res.Files["s.go"]), "package p\n\nfunc F() { y() }\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
