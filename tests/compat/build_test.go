package compat

import (
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/fastdrain/fastdrain/internal/variant"
)

var (
	update    = flag.Bool("update", false, "write docs/compat.md")
	serverDir = flag.String("server", "../../server", "the patched copy, in this `directory`")
)

// The variants of fasthttp.
const (
	upstream = "upstream"
	patched  = "patched"
)

var binaries struct {
	sync.Mutex
	dir string
}

func TestMain(m *testing.M) {
	// The time ends the composer, and not a number of draws.
	_ = flag.Set("rapid.checks", "100000")
	_ = flag.Set("rapid.shrinktime", "20s")
	_ = flag.Set("rapid.nofailfile", "true")
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "compat")
	if err == nil {
		err = os.Chmod(dir, 0o755) //nolint:gosec // a worker of another user runs what is in it
	}
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binaries.dir = dir
	return m.Run()
}

// build builds a command of this module with upstream's fasthttp or with the copy.
func build(t *testing.T, pkg, name string, flags ...string) string {
	t.Helper()
	binaries.Lock()
	defer binaries.Unlock()
	path := filepath.Join(binaries.dir, pkg+"-"+name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	side := variant.Upstream
	if name == patched {
		side = variant.Side{Name: patched, Copy: *serverDir}
	}
	b := variant.Builder{Root: ".", Dir: binaries.dir}
	if err := b.Build(t.Context(), side, path, "./"+pkg, flags...); err != nil {
		t.Fatal(err)
	}
	return path
}
