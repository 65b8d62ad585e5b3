package acceptqueue

import (
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/fastdrain/fastdrain/internal/variant"
)

var (
	stops         = flag.Int("stops", 3, "stop each server over the link this `many` times")
	loopbackStops = flag.Int("loopback-stops", 4, "and over loopback")
)

// root is the project's directory.
const root = "../.."

// build builds a program of the tests, against upstream's fasthttp or the
// patched one. only, if not empty, is the best strategy that the server may
// take. Every user may run the binary.
func build(t *testing.T, pkg, name, only string) string {
	t.Helper()
	binaries.Lock()
	defer binaries.Unlock()
	path := filepath.Join(binaries.dir, filepath.Base(pkg)+"-"+name+only)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	b := variant.Builder{Root: root, Dir: binaries.dir}
	args := []string{"build", "-o", path}
	if name == upstream {
		mod, _, err := b.UpstreamModfile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "-modfile", mod)
	} else {
		args = append(args, "-tags", variant.Tag, "-ldflags", "-X "+variant.Module+"/internal/acceptqueue.only="+only)
	}
	if _, err := b.Go(t.Context(), append(args, pkg)...); err != nil {
		t.Fatal(err)
	}
	return path
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
