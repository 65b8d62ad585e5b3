package acceptqueue

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fastdrain/fastdrain/internal/variant"
)

var (
	stops         = flag.Int("stops", 3, "stop each server over the link this `many` times")
	loopbackStops = flag.Int("loopback-stops", 4, "and over loopback")
)

// build builds a program of the tests or of the examples, with upstream's fasthttp
// or the patched one. only, if not empty, is the best strategy that the server may
// take. Every user may run the binary.
func build(t *testing.T, pkg, name, only string) string {
	t.Helper()
	binaries.Lock()
	defer binaries.Unlock()
	path := filepath.Join(binaries.dir, filepath.Base(pkg)+"-"+name+only)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	b := variant.Builder{Root: filepath.Join("../..", filepath.FromSlash(module(pkg))), Dir: binaries.dir}
	side, flags := variant.Upstream, []string(nil)
	if name == patched {
		side = variant.Patched
		flags = []string{"-ldflags", "-X " + variant.Module + "/internal/acceptqueue.only=" + only}
	}
	if err := b.Build(t.Context(), side, path, "./"+strings.TrimPrefix(pkg, module(pkg)+"/"), flags...); err != nil {
		t.Fatal(err)
	}
	return path
}

// module is the module that a package of the project is in.
func module(pkg string) string {
	module, _, _ := strings.Cut(pkg, "/")
	return module
}

const (
	upstream = "upstream"
	patched  = "patched"
)

var binaries struct {
	sync.Mutex
	dir string
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "acceptqueue")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binaries.dir = dir
	return m.Run()
}
