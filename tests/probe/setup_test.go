//go:build linux

package probe

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/probe"
)

var full = flag.Bool("full", false, "take all servers, and the long runs")

// bound is how long a probe may take before it counts as hung.
const bound = 5 * time.Minute

// onlyFull skips a test of the short run.
func onlyFull(t *testing.T) {
	t.Helper()
	if !*full {
		t.Skip("with -full only (make test-probe-full)")
	}
}

// startChild starts the test binary as a steady server, in a process group of its own.
func startChild(addr string) (pid int) {
	cmd := exec.Command(os.Args[0], addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = append(os.Environ(), fakeMode+"="+steady)
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	return cmd.Process.Pid
}

// options are those of the command for a service, for a test.
func options() probe.Options {
	return probe.Options{
		Rounds: 1, Signal: syscall.SIGTERM, Grace: time.Minute, Start: bound, Timeout: time.Minute,
		Profile: probe.Profile{Kinds: []probe.Kind{probe.Busy, probe.Pool, probe.New}, Connections: 40, Rate: 500},
	}
}

// fakeServer returns the service with the fault, and the file with its accounts. It is
// started by env(1), as the environment of the test is that of all tests.
func fakeServer(t *testing.T, mode string) (s probe.Subject, accounts string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	accounts = filepath.Join(t.TempDir(), "accounts")
	return probe.Subject{Title: mode, Command: []string{
		"env", fakeMode + "=" + mode, fakeAccount + "=" + accounts,
		// The race detector would wait for a second at the exit of the process.
		"GORACE=atexit_sleep_ms=0",
		exe, "127.0.0.1:0",
	}}, accounts
}

// sum adds the accounts of all processes.
func sum(t *testing.T, accounts string) (all account) {
	t.Helper()
	text, err := os.ReadFile(accounts)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var a account
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		all.Executed += a.Executed
		all.Answered += a.Answered
		all.Harmed += a.Harmed
	}
	return all
}

// run probes one subject.
func run(t *testing.T, s probe.Subject, o probe.Options) (*probe.Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), bound, errors.New("the probe hangs"))
	defer cancel()
	o.Subjects = []probe.Subject{s}
	o.Progress = io.Discard
	results, err := probe.Run(ctx, o)
	if len(results) == 0 {
		return nil, err
	}
	r := results[0]
	if t.Failed() || testing.Verbose() {
		var b strings.Builder
		probe.Write(&b, results, false)
		t.Logf("%s\n%s", s.Name(), b.String())
	}
	return r, err
}

// mustRun is run without an error.
func mustRun(t *testing.T, s probe.Subject, o probe.Options) *probe.Result {
	t.Helper()
	r, err := run(t, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// says reports whether there is the diagnosis.
func says(r *probe.Result, id string) bool {
	return slices.ContainsFunc(r.Diagnoses, func(d probe.Diagnosis) bool { return d.ID == id })
}

// wantDiagnoses wants the diagnoses, and no problem beside them and what is allowed.
func wantDiagnoses(t *testing.T, r *probe.Result, want []string, allowed ...string) {
	t.Helper()
	for _, id := range want {
		if !says(r, id) {
			t.Errorf("it does not say %q", id)
		}
	}
	for _, d := range r.Diagnoses {
		if d.Problem && !slices.Contains(want, d.ID) && !slices.Contains(allowed, d.ID) {
			t.Errorf("it says %q: %s", d.ID, d.Text)
		}
	}
}
