//go:build linux

package proxies

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/tests/internal/sources"
)

// bound is for what takes a second or two at most.
const bound = 45 * time.Second

var variants = []string{lab.Upstream, lab.Patched}

// build builds a variant of examples/hello.
func build(t *testing.T, variant string) (path string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sources.DependOn(t, root, "server", "examples/hello")
	path, err = lab.Build(t.Context(), root, variant)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// instance is a service that is restarted: one process after another on one port.
type instance struct {
	t       *testing.T
	command process.Command
	running *process.Process

	stops    int
	executed int // requests whose handler ran, by all processes that have ended
	late     int
	slowest  time.Duration
}

// start starts an instance, with flags of examples/hello.
func start(t *testing.T, path string, flags ...string) *instance {
	t.Helper()
	i := &instance{t: t, command: process.Command{Path: path, Args: append([]string{"-reuseport"}, flags...)}}
	i.running = i.launch()
	i.command.Addr = i.running.Addr
	return i
}

// addr is the address that all processes of the instance listen on.
func (i *instance) addr() string { return i.command.Addr }

func (i *instance) launch() *process.Process {
	i.t.Helper()
	p, err := process.Start(i.t.Context(), i.command)
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(p.Kill)
	return p
}

// takeOver starts the next process, calls listening, stops the old process with
// SIGTERM and waits for its end.
func (i *instance) takeOver(listening func()) {
	i.t.Helper()
	next := i.launch()
	listening()
	i.stop()
	i.running = next
}

// restart stops the process with SIGTERM, waits for its end and starts the next
// one. Meanwhile connections to the instance are refused.
func (i *instance) restart() {
	i.t.Helper()
	i.stop()
	i.running = i.launch()
}

// stop stops the process that runs and adds its account.
func (i *instance) stop() {
	i.t.Helper()
	p := i.running
	took, err := p.Stop(bound)
	if err != nil {
		i.t.Fatal(err)
	}
	if how := p.Exit(); how != process.ExitClean {
		i.t.Fatalf("a process on %s ended with %s after %v%s", p.Addr, how, took, p.Stderr())
	}
	executed, known := p.Executed()
	if !known {
		i.t.Fatalf("a process on %s did not say how many requests it executed", p.Addr)
	}
	late, _ := p.Late()
	i.stops++
	i.executed += executed
	i.late += late
	i.slowest = max(i.slowest, took)
}
