// Package consumer makes modules as a user of the project has them: new ones in
// directories of their own, the copy in them with the real command.
//
// The modules that they need come from the module cache or a module proxy. Without
// them the tests fail; they never skip.
package consumer

import (
	"bytes"
	"debug/buildinfo"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

const (
	// Fasthttp is the module that a consumer replaces.
	Fasthttp = "github.com/valyala/fasthttp"

	// CopyDir is where a consumer keeps the copy.
	CopyDir = "third_party/fasthttp"
)

// Module is a consumer's module.
type Module struct {
	// Dir is its directory, which is removed with the test.
	Dir string

	t *testing.T
}

// NewModule makes an empty module that asks for the given modules ("path
// version").
func NewModule(t *testing.T, name string, requires ...string) *Module {
	t.Helper()
	m := &Module{t.TempDir(), t}
	goMod := "module example.com/" + name + "\n\n" +
		"go " + strings.TrimPrefix(goVersion(t), "go") + "\n"
	for _, r := range requires {
		goMod += "\nrequire " + r + "\n"
	}
	m.Write("go.mod", goMod)
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

// Write writes a file, by its path from the module.
func (m *Module) Write(name, text string) {
	m.t.Helper()
	file := filepath.Join(m.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// Run runs a command in the module and returns what it said.
func (m *Module) Run(name string, args ...string) string {
	m.t.Helper()
	out, err := Run(m.Dir, name, args...)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// Tidy resolves the requirements.
func (m *Module) Tidy() {
	m.t.Helper()
	m.Run("go", "mod", "tidy")
}

var hint = regexp.MustCompile(`(?m)^Now run: (.*)$`)

// Vendor writes a copy into the module with the command in a file, checks that it
// came complete, and then does what the command says is left to do.
func (m *Module) Vendor(command string) {
	m.t.Helper()
	out := m.Run(command, "vendor", "-o", CopyDir)
	for file, notice := range map[string]string{
		"LICENSE":           "FastHTTP Authors",
		"LICENSE.fastdrain": "The fastdrain authors",
	} {
		text, err := os.ReadFile(filepath.Join(m.Dir, CopyDir, file))
		if err != nil || !bytes.Contains(text, []byte(notice)) {
			m.t.Errorf("the copy's %s is %q (%v), want one with %q", file, text, err, notice)
		}
	}
	next := hint.FindStringSubmatch(out)
	if next == nil {
		m.t.Fatalf("fastdrain vendor did not say what to run next:\n%s", out)
	}
	todo := strings.Fields(next[1])
	m.Run(todo[0], todo[1:]...)
}

// Build builds the module's program and returns its file and what it is made
// of.
func (m *Module) Build() (string, *debug.BuildInfo) {
	m.t.Helper()
	bin := filepath.Join(m.Dir, "service.exe")
	m.Run("go", "build", "-o", bin, ".")
	info, err := buildinfo.ReadFile(bin)
	if err != nil {
		m.t.Fatal(err)
	}
	return bin, info
}

// Dependency finds a module in a binary.
func Dependency(t *testing.T, info *debug.BuildInfo, path string) *debug.Module {
	t.Helper()
	for _, dep := range info.Deps {
		if dep.Path == path {
			return dep
		}
	}
	t.Fatalf("the binary is made without %s:\n%s", path, info)
	return nil
}
