// Package wrk loads a server with wrk and reads what it measured.
package wrk

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
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
	Stopped  float64 `json:"stopped"` // when its clock did, in seconds of Unix time
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

// Duration is how long wrk's clock ran.
func (r *Result) Duration() time.Duration { return time.Duration(r.Seconds * float64(time.Second)) }

// Ended is when it stopped, a while before wrk exits.
func (r *Result) Ended() time.Time { return time.UnixMicro(int64(r.Stopped * 1e6)) }

// Rate is the number of requests per second.
func (r *Result) Rate() float64 { return float64(r.Requests) / r.Seconds }

//go:embed script.lua
var script string

// Run runs wrk, by a command that may have words before it (taskset). Any error
// that a client saw is an error: what failed is no measurement.
func Run(ctx context.Context, command []string, load Load) (*Result, error) {
	r, err := Start(ctx, command, load)
	if err != nil {
		return nil, err
	}
	return r.Wait()
}

// Running is a wrk that runs.
type Running struct {
	ctx  context.Context
	cmd  *exec.Cmd
	dir  string
	out  bytes.Buffer
	done chan struct{}
	err  error // of its end
}

// Start starts what Run runs. Call Wait in any case.
func Start(ctx context.Context, command []string, load Load) (*Running, error) {
	dir, err := os.MkdirTemp("", "wrk")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "script.lua")
	if err := os.WriteFile(file, []byte(load.config()+script), 0o600); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	args := append(command[1:len(command):len(command)],
		"-t1", "-c"+strconv.Itoa(load.Connections), "-d"+strconv.Itoa(max(1, int(load.Duration.Seconds())))+"s",
		"--timeout", "20s", "-s", file, load.URL)
	r := &Running{ctx: ctx, cmd: exec.CommandContext(ctx, command[0], args...), dir: dir, done: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	if err := r.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	go func() {
		defer close(r.done)
		r.err = r.cmd.Wait()
	}()
	return r, nil
}

// Process is that of wrk.
func (r *Running) Process() *os.Process { return r.cmd.Process }

// Done is closed when wrk has ended.
func (r *Running) Done() <-chan struct{} { return r.done }

// Wait waits for the end of wrk, and returns what it measured.
func (r *Running) Wait() (*Result, error) {
	<-r.done
	defer os.RemoveAll(r.dir)
	if r.ctx.Err() != nil {
		return nil, context.Cause(r.ctx)
	}
	if r.err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(r.cmd.Args, " "), r.err, bytes.TrimSpace(r.out.Bytes()))
	}
	return read(r.out.Bytes())
}

// read reads what wrk has written.
func read(out []byte) (*Result, error) {
	_, figures, ok := bytes.Cut(out, []byte("figures: "))
	var r Result
	var err error
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
