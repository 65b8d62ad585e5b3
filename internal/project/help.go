package project

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/pmezard/go-difflib/difflib"
	"golang.org/x/mod/semver"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/upstream"
	"github.com/fastdrain/fastdrain/internal/watch"
)

// Help is what there is to know to write a block anew that does not apply.
type Help struct {
	Hunk *patch.Hunk
	// Old is where in the pinned version the hunk applied, New where that place
	// is in the checked one: "server.go:2570". New is empty if the declaration
	// is gone.
	Old, New string
	// Diff shows how the place has changed.
	Diff string
	// Block is a block that takes the place of the statement there now, to begin
	// with, and Matches how often its tokens occur in the declaration.
	Block   string
	Matches int
}

// Diff is how a declaration has changed.
type Diff struct {
	// Name is the declaration's, From the version that it is compared with.
	Name, From string
	// Again are the names of what has to be read again in it.
	Again []string
	Text  string
}

// diffContext is how many lines round a change are shown.
const diffContext = 3

// help looks for what can be said of the patches that fail and of what changed.
func (p *Project) help(ctx context.Context, pin *Pin, c *Copy, r *Checked) error {
	if r.Pinned && len(r.Again) == 0 && len(r.Errors) == 0 {
		return nil
	}
	if !r.Pinned && semver.Compare(r.Version, pin.Version) < 0 && len(r.Again) == 0 && len(r.Errors) == 0 {
		return nil
	}
	old := map[string]fstest.MapFS{}
	source := func(version string) (fstest.MapFS, error) {
		if files, ok := old[version]; ok {
			return files, nil
		}
		sum := ""
		if version == pin.Version {
			sum = pin.Sum
		}
		mod, err := upstream.Download(ctx, pin.Module, version, sum)
		var unavailable *upstream.UnavailableError
		switch {
		case errors.As(err, &unavailable):
			old[version] = nil // there is no help without it
			return nil, nil
		case err != nil:
			return nil, err
		}
		old[version], err = mod.Files()
		return old[version], err
	}

	failed := slices.SortedFunc(maps.Keys(c.Result.Errors), func(a, b *patch.Hunk) int { return a.Line - b.Line })
	for _, h := range failed {
		was, err := source(pin.Version)
		if err != nil {
			return err
		}
		if was != nil && !r.Pinned {
			r.Help = append(r.Help, helpWith(h, was, c.Pristine))
		}
	}

	names := slices.Clone(r.Changed)
	if r.Pinned {
		for _, name := range r.Again {
			decl, _, _ := strings.Cut(name, ": ")
			names = append(names, decl)
		}
		slices.Sort(names)
		names = slices.Compact(names)
	}
	for _, name := range names {
		d := Diff{Name: name, From: pin.Version}
		for _, again := range r.Again {
			if decl, _, _ := strings.Cut(again, ": "); decl == name {
				d.Again, d.From = append(d.Again, again), r.Since[again]
			}
		}
		was, err := source(d.From)
		if err != nil {
			return err
		}
		if was != nil {
			d.Text = diffDecl(name, was, c.Pristine, d.From, r.Version)
			r.Diffs = append(r.Diffs, d)
		}
	}
	slices.SortStableFunc(r.Diffs, func(a, b Diff) int { return min(1, len(b.Again)) - min(1, len(a.Again)) })

	if was, err := source(pin.Version); err != nil || was == nil || r.Pinned {
		return err
	} else if semver.Compare(r.Version, pin.Version) > 0 {
		r.NewTests = newTests(was, c.Pristine, identifiers(pin))
	}
	return nil
}

// helpWith compares the place of a hunk in two versions.
func helpWith(h *patch.Hunk, was, is fstest.MapFS) Help {
	help := Help{Hunk: h}
	oldText, oldDecl, anchor, ok := patch.Locate(was, h)
	if !ok || anchor.Line == 0 {
		return help
	}
	help.Old = fmt.Sprintf("%s:%d", h.File, anchor.Line)
	newText, newDecl, _, ok := patch.Locate(is, h)
	if !ok {
		return help
	}
	a, b := linesOf(oldText, oldDecl), linesOf(newText, newDecl)
	m := difflib.NewMatcher(trimmed(a), trimmed(b)) // whatever the depth is now
	// The anchor's lines in a, from first up to last, and what they are in b.
	first, last := anchor.Line-oldDecl.Line, anchor.EndLine-oldDecl.Line+1
	from, to := -1, 0
	for _, op := range m.GetOpCodes() {
		if op.I1 >= last || op.I2 <= first {
			continue // an insertion between the lines is inside of them
		}
		j1, j2 := op.J1, op.J2
		if op.Tag == 'e' {
			j1, j2 = op.J1+max(0, first-op.I1), op.J2-max(0, op.I2-last)
		}
		if from < 0 {
			from = j1
		}
		to = j2
	}
	help.New = fmt.Sprintf("%s:%d", h.File, newDecl.Line+from)
	var round [][]difflib.OpCode
	for _, group := range m.GetGroupedOpCodes(diffContext) {
		if group[0].I1 < last && group[len(group)-1].I2 > first {
			round = append(round, group)
		}
	}
	help.Diff = unified(round, a, b, oldDecl.Line, newDecl.Line)
	help.Block, help.Matches = patch.Suggest(is, h, newDecl.Line+from, newDecl.Line+max(from, to-1))
	return help
}

// diffDecl is the diff of a declaration, whose file and name are given.
func diffDecl(name string, was, is fstest.MapFS, from, to string) string {
	h := &patch.Hunk{Drop: true}
	h.File, h.Decl, _ = strings.Cut(name, " ")
	oldText, oldDecl, _, _ := patch.Locate(was, h)
	newText, newDecl, _, ok := patch.Locate(is, h)
	if !ok {
		return name + " is not in " + to + "\n"
	}
	a, b := linesOf(oldText, oldDecl), linesOf(newText, newDecl)
	m := difflib.NewMatcher(a, b)
	return fmt.Sprintf("--- %s %s\n+++ %s %s\n", h.File, from, h.File, to) + unified(m.GetGroupedOpCodes(diffContext), a, b, oldDecl.Line, newDecl.Line)
}

// unified writes groups of changes as a unified diff, without its first lines.
func unified(groups [][]difflib.OpCode, a, b []string, aLine, bLine int) string {
	var out strings.Builder
	for _, group := range groups {
		g0, g1 := group[0], group[len(group)-1]
		fmt.Fprintf(&out, "@@ -%d,%d +%d,%d @@\n", aLine+g0.I1, g1.I2-g0.I1, bLine+g0.J1, g1.J2-g0.J1)
		for _, op := range group {
			if op.Tag == 'e' {
				for _, l := range a[op.I1:op.I2] {
					out.WriteString(" " + l + "\n")
				}
				continue
			}
			for _, l := range a[op.I1:op.I2] {
				out.WriteString("-" + l + "\n")
			}
			for _, l := range b[op.J1:op.J2] {
				out.WriteString("+" + l + "\n")
			}
		}
	}
	return out.String()
}

// linesOf are the lines of a file that a region has a part of.
func linesOf(text []byte, r patch.Region) []string {
	if r.Line == 0 {
		return nil
	}
	return strings.Split(string(text), "\n")[r.Line-1 : r.EndLine]
}

func trimmed(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimSpace(l)
	}
	return out
}

// identifiers are the names of the functions that are patched or watched, and of
// the fields whose users are watched.
func identifiers(pin *Pin) map[string]bool {
	names := map[string]bool{}
	for _, fields := range watch.Fields {
		for _, field := range fields {
			names[field] = true
		}
	}
	for _, keys := range []map[string]string{pin.Declarations, pin.Watched} {
		for key := range keys {
			_, decl, _ := strings.Cut(key, " ")
			if i := strings.LastIndexByte(decl, '.'); i >= 0 || !ast.IsExported(decl) {
				names[decl[i+1:]] = true
			}
		}
	}
	return names
}

// newTests are the tests of the root package that only the newer version has and
// that name one of the identifiers, as "file: test (identifiers)".
func newTests(was, is fstest.MapFS, identifiers map[string]bool) []string {
	old := map[string]bool{}
	tests(was, func(_ string, fn *ast.FuncDecl) { old[fn.Name.Name] = true })
	var found []string
	tests(is, func(file string, fn *ast.FuncDecl) {
		if old[fn.Name.Name] {
			return
		}
		named := map[string]bool{}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "t" {
					return false // testing.T has an Error, too
				}
			case *ast.Ident:
				if identifiers[n.Name] {
					named[n.Name] = true
				}
			}
			return true
		})
		if len(named) > 0 {
			found = append(found, fmt.Sprintf("%s: %s (%s)", file, fn.Name.Name, strings.Join(slices.Sorted(maps.Keys(named)), ", ")))
		}
	})
	return found
}

func tests(files fstest.MapFS, do func(file string, fn *ast.FuncDecl)) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.Contains(name, "/") || !strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, files[name].Data, parser.SkipObjectResolution)
		if err != nil {
			continue // what does not parse fails elsewhere
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Body != nil && strings.HasPrefix(fn.Name.Name, "Test") {
				do(name, fn)
			}
		}
	}
}
