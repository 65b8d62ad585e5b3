package doctor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command is the real one, in the project, so that it finds its project; service
// is the module of all services, which has the copy, and bin has their binaries.
var command, service, bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		root, err := filepath.Abs("../..")
		if err == nil {
			err = os.MkdirAll(filepath.Join(root, "build"), 0o755)
		}
		var dir string
		if err == nil {
			dir, err = os.MkdirTemp(filepath.Join(root, "build"), "doctor-")
		}
		if err == nil {
			defer os.RemoveAll(dir)
			err = setup(root, dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// setup makes the services: stripped, as one deploys them.
func setup(root, dir string) error {
	command = filepath.Join(dir, "fastdrain")
	service = filepath.Join(dir, "service")
	bin = filepath.Join(dir, "bin") + string(filepath.Separator)
	if _, err := run(root, "go", "build", "-o", command, "./cmd/fastdrain"); err != nil {
		return err
	}
	if err := os.CopyFS(service, os.DirFS("testdata/service")); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(service, "go.mod.txt"), filepath.Join(service, "go.mod")); err != nil {
		return err
	}
	for _, args := range [][]string{
		{command, "vendor", "-o", "third_party/fasthttp"},
		{"go", "mod", "tidy"},
		{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "./..."},
	} {
		if _, err := run(service, args[0], args[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// run returns what a command says on both of its outputs.
func run(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=", "PWD="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// fails runs fastdrain in a directory, which has to fail and to say all of want.
func fails(t *testing.T, dir string, args []string, want ...string) {
	t.Helper()
	out, err := run(dir, command, args...)
	if err == nil {
		t.Errorf("fastdrain %s does not fail:\n%s", strings.Join(args, " "), out)
	}
	says(t, out, want...)
}

// passes is the other way round.
func passes(t *testing.T, dir string, args []string, want ...string) {
	t.Helper()
	out, err := run(dir, command, args...)
	if err != nil {
		t.Error(err)
	}
	says(t, out, want...)
}

func says(t *testing.T, out string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("it does not say %q:\n%s", w, out)
		}
	}
}
