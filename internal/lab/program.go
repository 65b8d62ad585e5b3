package lab

import (
	"context"
	"fmt"

	"github.com/fastdrain/fastdrain/internal/process"
)

// StopProgram stops any program again and again, as a scenario does with the
// example servers, and returns what its clients have counted. The program has
// to behave as examples/hello does: take -addr, say "listening on ADDRESS" on
// its first line and "served N requests" on its last, and answer
// /?name=NAME with "hello NAME".
func StopProgram(ctx context.Context, program, name string, rounds int) (*Result, error) {
	var s *scenario
	for i := range scenarios {
		if scenarios[i].name == name {
			s = &scenarios[i]
		}
	}
	if s == nil {
		return nil, fmt.Errorf("there is no scenario %q", name)
	}
	result := newResult(cell{s, program})
	r := runner{exitBound: exitBound}
	for n := range rounds {
		one, err := r.run(ctx, process.Command{Path: program}, s)
		if err != nil {
			return nil, fmt.Errorf("%s, round %d: %w", name, n+1, err)
		}
		result.add(one)
	}
	return result, trust([]*Result{result})
}
