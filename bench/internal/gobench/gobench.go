// Package gobench runs benchmarks of a compiled test binary and reads what they
// report.
package gobench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/perf/benchfmt"
)

// Result is a line of a benchmark's output.
type Result struct {
	// Name is the benchmark's name as the output has it, without "Benchmark".
	Name string
	// Values are the reported values by their unit: "ns/op", "B/op".
	Values map[string]float64
}

// Run runs the benchmarks that match pattern once, and returns their results in
// order, and the output for other tools to read. benchtime is a time or a number of operations as for -test.benchtime.
// An output without results is an error.
func Run(ctx context.Context, binary, pattern, benchtime string, env ...string) ([]Result, []byte, error) {
	cmd := exec.CommandContext(ctx, binary, "-test.run", "^$", "-test.bench", pattern, "-test.benchtime", benchtime, "-test.timeout", "30m")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s -test.bench %s: %w\n%s", binary, pattern, err, bytes.TrimSpace(out))
	}
	results, err := read(out)
	if err != nil {
		return nil, nil, fmt.Errorf("%s -test.bench %s: %w\n%s", binary, pattern, err, bytes.TrimSpace(out))
	}
	return results, out, nil
}

func read(out []byte) ([]Result, error) {
	var results []Result
	in := benchfmt.NewReader(bytes.NewReader(out), "output")
	for in.Scan() {
		switch r := in.Result().(type) {
		case *benchfmt.Result:
			one := Result{Name: r.Name.String(), Values: map[string]float64{}}
			for _, v := range r.Values {
				// The package tidies ns/op into sec/op; both are of use.
				one.Values[v.Unit] = v.Value
				if v.OrigUnit != "" {
					one.Values[v.OrigUnit] = v.OrigValue
				}
			}
			results = append(results, one)
		case *benchfmt.SyntaxError:
			return nil, r
		}
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	if len(results) == 0 {
		return nil, errors.New("no benchmark ran")
	}
	return results, nil
}
