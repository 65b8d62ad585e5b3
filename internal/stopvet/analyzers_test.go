package stopvet

import (
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

// All of them run on each package: one has mistakes of one kind, and the others
// must have nothing to say about it. What is wanted begins with the analyzer's
// name.
func TestAnalyzers(t *testing.T) {
	all := &analysis.Analyzer{
		Name: "all",
		Doc:  "runs all",
		Run: func(pass *analysis.Pass) (any, error) {
			for _, a := range Analyzers {
				one := *pass
				one.Report = func(d analysis.Diagnostic) {
					d.Message = a.Name + ": " + d.Message
					pass.Report(d)
				}
				if _, err := a.Run(&one); err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
	}
	analysistest.Run(t, analysistest.TestData(), all,
		"deadline", "longer", "exit", "fatal", "returns", "waits", "framework", "prefork", "signal", "both")
}

func TestNames(t *testing.T) {
	if err := analysis.Validate(Analyzers); err != nil {
		t.Error(err)
	}
}
