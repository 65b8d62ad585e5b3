package consumer

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// fasthttpPath is the module that a consumer replaces.
	fasthttpPath = "github.com/valyala/fasthttp"

	// copyDir is where a consumer keeps the copy.
	copyDir = "third_party/fasthttp"

	// commandTime bounds a command that may download modules and compile.
	commandTime = 5 * time.Minute
)

// module is a consumer's module in a directory of its own.
type module struct {
	t   *testing.T
	dir string
}

// newModule makes an empty module that asks for the given modules ("path
// version").
func newModule(t *testing.T, name string, requires ...string) *module {
	t.Helper()
	m := &module{t, t.TempDir()}
	goMod := "module example.com/" + name + "\n\n" +
		"go " + strings.TrimPrefix(goVersion(t), "go") + "\n"
	for _, r := range requires {
		goMod += "\nrequire " + r + "\n"
	}
	m.write("go.mod", goMod)
	return m
}

// goVersion is the version of the go command without what may follow it
// ("go1.26.1 X:..."), as go mod init writes it.
func goVersion(t *testing.T) string {
	t.Helper()
	v, _, _ := strings.Cut(runtime.Version(), " ")
	if !regexp.MustCompile(`^go1\.\d+(\.\d+)?$`).MatchString(v) {
		t.Fatalf("the Go version is %q, which no go.mod can ask for", v)
	}
	return v
}

func (m *module) write(name, text string) {
	m.t.Helper()
	file := filepath.Join(m.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// copyFrom puts a file of testdata into the module.
func (m *module) copyFrom(name, file string) {
	m.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		m.t.Fatal(err)
	}
	m.write(name, string(data))
}

// run runs a command in the module and returns what it said.
func (m *module) run(name string, args ...string) string {
	m.t.Helper()
	out, err := run(m.dir, name, args...)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// tidy resolves the requirements.
func (m *module) tidy() {
	m.t.Helper()
	m.run("go", "mod", "tidy")
}

var hint = regexp.MustCompile(`(?m)^Now run: (.*)$`)

// vendor writes a copy into the module with the real command, checks that it
// came complete, and then does what the command says is left to do.
func (m *module) vendor() {
	m.t.Helper()
	out := m.run(fastdrain(m.t), "vendor", "-o", copyDir)
	for file, notice := range map[string]string{
		"LICENSE":           "FastHTTP Authors",
		"LICENSE.fastdrain": "The fastdrain authors",
	} {
		text, err := os.ReadFile(filepath.Join(m.dir, copyDir, file))
		if err != nil || !bytes.Contains(text, []byte(notice)) {
			m.t.Errorf("the copy's %s is %q (%v), want one with %q", file, text, err, notice)
		}
	}
	next := hint.FindStringSubmatch(out)
	if next == nil {
		m.t.Fatalf("fastdrain vendor did not say what to run next:\n%s", out)
	}
	command := strings.Fields(next[1])
	m.run(command[0], command[1:]...)
}

// build builds the module's program and returns its file and what it is made
// of.
func (m *module) build() (string, *debug.BuildInfo) {
	m.t.Helper()
	bin := filepath.Join(m.dir, "service.exe")
	m.run("go", "build", "-o", bin, ".")
	info, err := buildinfo.ReadFile(bin)
	if err != nil {
		m.t.Fatal(err)
	}
	return bin, info
}

// dependency finds a module in a binary.
func dependency(t *testing.T, info *debug.BuildInfo, path string) *debug.Module {
	t.Helper()
	for _, dep := range info.Deps {
		if dep.Path == path {
			return dep
		}
	}
	t.Fatalf("the binary is made without %s:\n%s", path, info)
	return nil
}

// fastdrain builds the command once and returns its file.
func fastdrain(t *testing.T) string {
	t.Helper()
	bin, err := buildCommand()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// commandDir is where buildCommand puts the command, set by TestMain. It is in
// the project, as bin/ is, so that the command finds its project by itself.
var commandDir string

var buildCommand = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(commandDir, "fastdrain.exe")
	_, err := run(root, "go", "build", "-o", bin, "./cmd/fastdrain")
	return bin, err
})

func TestMain(m *testing.M) {
	os.Exit(func() int {
		build, err := filepath.Abs(filepath.Join(root, "build"))
		if err == nil {
			err = os.MkdirAll(build, 0o755)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		dir, err := os.MkdirTemp(build, "consumer-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		commandDir = dir
		return m.Run()
	}())
}

// moduleTrouble is in what the go command says when it cannot have a module.
var moduleTrouble = regexp.MustCompile(`(?i)GOPROXY|dial tcp|no such host|i/o timeout|Forbidden|unrecognized import path`)

// run runs a command in dir and returns its output. GOWORK=off: a consumer's
// module is in no workspace of ours.
func run(dir, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+dir)
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err == nil {
		return string(out), nil
	}
	err = fmt.Errorf("%s %s in %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), dir, err, out)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("not done after %s: %w", commandTime, err)
	case name == "go" && moduleTrouble.Match(out):
		err = fmt.Errorf("%w\nThis test needs a module proxy (see go env GOPROXY), or a module cache that holds what it asks for", err)
	}
	return "", err
}
