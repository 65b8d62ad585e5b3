package doctor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/fastdrain/fastdrain/internal/stopvet"
)

// Finding is what an analyzer of package stopvet says about a line of the
// sources.
type Finding struct {
	// Position is FILE:LINE:COLUMN, the file from the directory.
	Position string
	// Analyzer is its name, Message what it says.
	Analyzer, Message string
}

// Sources looks through the packages in a directory and below it. It is an error
// if they cannot be loaded, or do not compile.
func Sources(ctx context.Context, dir string) ([]Finding, error) {
	pkgs, err := packages.Load(&packages.Config{Context: ctx, Dir: dir, Mode: packages.LoadSyntax | packages.NeedModule}, "./...")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if len(pkgs) == 0 {
		return nil, fmt.Errorf("%s: there is no Go package in it", dir)
	}
	for _, p := range pkgs {
		if len(p.Errors) > 0 && p.Errors[0].Kind == packages.ListError && len(p.GoFiles) == 0 {
			return nil, fmt.Errorf("%s: no packages of a Go module: %s", dir, strings.TrimSpace(p.Errors[0].Msg))
		}
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("%s does not compile, so it cannot be looked through: %w", p.PkgPath, errors.New(strings.TrimSpace(p.Errors[0].Error())))
		}
	}
	graph, err := checker.Analyze(stopvet.Analyzers, pkgs, nil)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	var out []Finding
	for act := range graph.All() {
		if act.Err != nil {
			return nil, fmt.Errorf("%v: %w", act, act.Err)
		}
		for _, d := range act.Diagnostics {
			at := act.Package.Fset.Position(d.Pos)
			if rel, err := filepath.Rel(abs, at.Filename); err == nil && filepath.IsLocal(rel) {
				at.Filename = rel
			}
			out = append(out, Finding{at.String(), act.Analyzer.Name, d.Message})
		}
	}
	slices.SortFunc(out, func(a, b Finding) int { return strings.Compare(a.Position, b.Position) })
	return out, nil
}
