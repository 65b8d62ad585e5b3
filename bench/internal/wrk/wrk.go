// Package wrk loads a server with wrk and reads what it measured.
package wrk

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Load is what the clients do.
type Load struct {
	// Connections is how many clients there are.
	Connections int
	// Batch is how many requests a client sends at a time, 0 for one.
	Batch int
	// Headers are added to each request, one "Name: value" each.
	Headers []string
	// Body is the size of the body, 0 for a GET.
	Body int
	// URL of the server.
	URL string
	// Duration of the load.
	Duration time.Duration
}

// Result is what wrk measured.
type Result struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	// Latencies in seconds; 0 with a Batch, of which wrk cannot tell.
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Top float64 `json:"top"` // the 99.9th percentile
	// Errors that wrk counted, by kind.
	Connect int `json:"connect"`
	Read    int `json:"read"`
	Write   int `json:"write"`
	Status  int `json:"status"`
	Timeout int `json:"timeout"`
}

// Rate is the number of requests per second.
func (r *Result) Rate() float64 { return float64(r.Requests) / r.Seconds }

//go:embed script.lua
var script string

// Run runs wrk, by a command that may have words before it (taskset). Any error
// that a client saw is an error: what failed is no measurement.
func Run(ctx context.Context, command []string, load Load) (*Result, error) {
	dir, err := os.MkdirTemp("", "wrk")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "script.lua")
	if err := os.WriteFile(file, []byte(load.config()+script), 0o600); err != nil {
		return nil, err
	}
	args := append(command[1:len(command):len(command)],
		"-t1", "-c"+strconv.Itoa(load.Connections), "-d"+strconv.Itoa(max(1, int(load.Duration.Seconds())))+"s",
		"--timeout", "20s", "-s", file, load.URL)
	cmd := exec.CommandContext(ctx, command[0], args...)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
	_, figures, ok := bytes.Cut(out, []byte("figures: "))
	var r Result
	if ok {
		err = json.NewDecoder(bytes.NewReader(figures)).Decode(&r)
	}
	switch {
	case !ok || err != nil:
		return nil, fmt.Errorf("wrk's output has no figures (%v):\n%s", err, out)
	case r.Requests == 0:
		return nil, fmt.Errorf("no request was answered:\n%s", out)
	case r.Connect+r.Read+r.Write+r.Status+r.Timeout > 0:
		return nil, fmt.Errorf("clients saw errors:\n%s", out)
	}
	return &r, nil
}

// config is the beginning of the script: what is different for each load.
func (l Load) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, "local batch = %d\n", max(1, l.Batch))
	if l.Body > 0 {
		fmt.Fprintf(&b, "wrk.method = \"POST\"\nwrk.body = string.rep(\"x\", %d)\n", l.Body)
		fmt.Fprintf(&b, "wrk.headers[\"Content-Type\"] = \"application/octet-stream\"\n")
	}
	for _, h := range l.Headers {
		name, value, _ := strings.Cut(h, ": ")
		fmt.Fprintf(&b, "wrk.headers[%s] = %s\n", strconv.Quote(name), strconv.Quote(value))
	}
	return b.String()
}
