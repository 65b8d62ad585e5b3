// Command picture draws the picture at the top of README.md from a run of its
// own: what clients lose at a stop, and the connections of one drain.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/tree"
)

func main() {
	out := flag.String("o", "docs/lost.svg", "write the picture to `FILE`")
	rounds := flag.Int("rounds", 5, "stop each server `N` times in each scenario")
	flag.Parse()
	if err := draw(context.Background(), *out, *rounds); err != nil {
		log.Fatal(err)
	}
}

func draw(ctx context.Context, out string, rounds int) error {
	results, err := stops(ctx, rounds)
	if err != nil {
		return err
	}
	samples, err := record(ctx)
	if err != nil {
		return err
	}
	text, err := render(rounds, results, samples)
	if err != nil {
		return err
	}
	fmt.Println(out)
	return tree.WriteFile(out, text, 0o644)
}

// stops runs the lab.
func stops(ctx context.Context, rounds int) ([]*lab.Result, error) {
	dir, err := os.MkdirTemp("", "fastdrain-picture-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "lab.json")
	err = lab.Run(ctx, lab.Options{
		Root:      ".",
		Scenarios: []string{"keepalive", "pipeline", "connect", "connect-tls"},
		Variants:  []string{lab.Upstream, lab.Patched},
		Rounds:    rounds,
		JSONFile:  file,
		Out:       io.Discard,
		Progress:  os.Stderr,
	})
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var results []*lab.Result
	return results, json.Unmarshal(text, &results)
}
