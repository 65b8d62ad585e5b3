package project

import (
	"bytes"
	"fmt"
	"go/build/constraint"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// lean leaves out of a copy what a service does not need to build: tests, their
// data, examples, generators and documents, but no licence. Of our files, those
// that are built on every platform become one in each folder.
func lean(files map[string][]byte, ours []string) (map[string][]byte, error) {
	kept := map[string][]byte{}
	for name, data := range files {
		if !superfluous(name, data) {
			kept[name] = data
		}
	}
	return joined(kept, ours)
}

func superfluous(name string, data []byte) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if base := path.Base(dir); base == "testdata" || dir == "examples" {
			return true
		}
	}
	base := path.Base(name)
	switch {
	case strings.HasSuffix(base, "_test.go"), strings.HasSuffix(base, ".md"), base == "TODO":
		return true
	case strings.HasSuffix(base, ".go"):
		return ignored(data)
	}
	return false
}

// ignored says of a Go file whether it is left out of every build, as programs
// that generate code are.
func ignored(data []byte) bool {
	for line := range bytes.Lines(data) {
		text := string(bytes.TrimSpace(line))
		if constraint.IsGoBuild(text) {
			return text == "//go:build ignore"
		}
		if strings.HasPrefix(text, "package ") {
			return false
		}
	}
	return false
}

// joinedName is the file that joined makes. A copy that was written with its tests
// does not have it.
const joinedName = "fastdrain.go"

// joined makes one file, fastdrain.go, of our files in each folder that are built
// on every platform: a service has to review, and to keep, fewer of them. ours are
// the names of our files, sorted.
func joined(files map[string][]byte, ours []string) (map[string][]byte, error) {
	groups := map[string][]string{}
	for _, name := range ours {
		if data, ok := files[name]; ok && everywhere(name, data) {
			groups[path.Dir(name)] = append(groups[path.Dir(name)], name)
		}
	}
	out := maps.Clone(files)
	for dir, names := range groups {
		to := path.Join(dir, joinedName)
		if len(names) < 2 || files[to] != nil {
			continue
		}
		data, err := join(files, names)
		if err != nil {
			return nil, fmt.Errorf("one file of server/%s: %w", strings.Join(names, ", server/"), err)
		}
		for _, name := range names {
			delete(out, name)
		}
		out[to] = data
	}
	return out, nil
}

// everywhere says whether a Go file has no condition on when it is built. One that
// has an underscore in its name may have.
func everywhere(name string, data []byte) bool {
	if !strings.HasSuffix(name, ".go") || strings.Contains(path.Base(name), "_") {
		return false
	}
	return !bytes.Contains(data, []byte("\n//go:build ")) && !bytes.HasPrefix(data, []byte("//go:build "))
}

// join makes one Go file of several of a package.
func join(files map[string][]byte, names []string) ([]byte, error) {
	var docs, bodies bytes.Buffer
	imports := map[string]string{} // by the spec as it is written, the path
	locals := map[string]string{}  // the path by the name that it has in a file
	pkg := ""
	for _, name := range names {
		src := files[name]
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, src, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return nil, err
		}
		pkg = f.Name.Name
		at := func(pos token.Pos) int { return fset.Position(pos).Offset }
		if f.Doc != nil {
			docs.Write(src[at(f.Doc.Pos()):at(f.Doc.End())])
			docs.WriteByte('\n')
		}
		rest := at(f.Name.End())
		fmt.Fprintf(&bodies, "\n// From %s.\n", name)
		for _, decl := range f.Decls { // imports, all of them
			bodies.Write(src[rest:at(decl.Pos())])
			rest = at(decl.End())
		}
		bodies.Write(src[rest:])
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return nil, err
			}
			local := path.Base(imported)
			if spec.Name != nil {
				local = spec.Name.Name
			}
			if other, ok := locals[local]; ok && other != imported && local != "_" {
				return nil, fmt.Errorf("%s is both %s and %s in them: give one of these another name", local, other, imported)
			}
			locals[local] = imported
			imports[string(src[at(spec.Pos()):at(spec.End())])] = imported
		}
	}
	var out bytes.Buffer
	out.WriteString("// Made by fastdrain vendor of the files of the project that are named below.\n\n")
	out.Write(docs.Bytes())
	fmt.Fprintf(&out, "package %s\n\nimport (\n", pkg)
	for _, outside := range []bool{false, true} { // the standard library first
		for _, spec := range slices.Sorted(maps.Keys(imports)) {
			first, _, _ := strings.Cut(imports[spec], "/")
			if strings.Contains(first, ".") == outside {
				out.WriteString("\t" + spec + "\n")
			}
		}
		out.WriteString("\n")
	}
	out.WriteString(")\n")
	out.Write(bodies.Bytes())
	return format.Source(out.Bytes())
}
