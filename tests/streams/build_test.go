package streams

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// full asks for the clients that are not written in Go, and for more of all.
var full = flag.Bool("full", false, "also with clients of npm and curl, ten restarts (npm)")

// bound is for what hangs.
const bound = 60 * time.Second

// together runs a test beside the others, unless it has many clients.
func together(t *testing.T) {
	t.Helper()
	if !*full {
		t.Parallel()
	}
}

// root is the project.
func root(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// bins is a folder for what is compiled, builds how to get each, once.
var (
	bins   string
	builds sync.Map
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if bins, err = os.MkdirTemp("", "streams-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(bins)
		return m.Run()
	}())
}

// build compiles a package of a folder of the project, once.
func build(t *testing.T, folder, pkg string, args ...string) (bin string) {
	t.Helper()
	compile, _ := builds.LoadOrStore(fmt.Sprint(folder, pkg, args), sync.OnceValues(func() (string, error) {
		return compiled(folder, pkg, args...)
	}))
	bin, err := compile.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

func compiled(folder, pkg string, args ...string) (bin string, err error) {
	dir, err := os.MkdirTemp(bins, "")
	if err != nil {
		return "", err
	}
	bin = filepath.Join(dir, "server")
	cmd := exec.Command("go", append(append([]string{"build", "-o", bin}, args...), pkg)...)
	cmd.Dir = filepath.Join("../..", filepath.FromSlash(folder))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return bin, nil
}

// buildWithout compiles a package without one line of its main.go, the one that holds
// a text.
func buildWithout(t *testing.T, folder, pkg, text string) (bin string) {
	t.Helper()
	file := filepath.Join(root(t), filepath.FromSlash(folder), pkg, "main.go")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	dropped := 0
	for line := range strings.Lines(string(source)) {
		if strings.Contains(line, text) {
			dropped++
			continue
		}
		kept = append(kept, line)
	}
	if dropped != 1 {
		t.Fatalf("%s: %d lines hold %q, want one", file, dropped, text)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	write(t, changed, []byte(strings.Join(kept, "")))
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, overlay, replace)
	return build(t, folder, pkg, "-overlay", overlay)
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// npm returns a folder with the scripts of node/ and the packages that they use. It
// stays in build/ for the next time.
func npm(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(root(t), "build", "streams-node")
	lock, err := os.ReadFile("node/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("node/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range scripts {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, filepath.Base(name)), data)
	}
	_, err = os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json"))
	if err == nil && string(before) == string(lock) {
		return dir
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v (npm comes with Node.js 20 or newer): %v\n%s", cmd, err, out)
	}
	return dir
}
