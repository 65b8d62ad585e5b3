package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Of the services, these are wrong in their sources, too; the analyzers say where.
func TestSources(t *testing.T) {
	want := []string{
		"interrupt/main.go:24:2: SIGTERM is not asked for, and ends the process at once: ask for syscall.SIGTERM, too",
		"prefork/main.go:28:2: prefork: SIGTERM reaches the master, which serves nothing",
	}
	fails(t, service, []string{"doctor", "."}, append(want, ".: NOT OK: 2 findings", "(stopsignal)", "(prefork)")...)
	passes(t, service, []string{"doctor", "hooks", "drainrun"}, "hooks: ok", "drainrun: ok")

	out, err := run(service, "go", "vet", "-vettool="+command, "./...")
	if err == nil {
		t.Error("go vet finds nothing")
	}
	says(t, out, want...)
	if out, err := run(service, "go", "vet", "-vettool="+command, "-stopsignal", "./prefork", "./interrupt"); err == nil || strings.Contains(out, "prefork:") {
		t.Errorf("with one analyzer only, %v:\n%s", err, out)
	}
	if out, err := run(service, "go", "vet", "-vettool="+command, "./hooks", "./plain"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A copy that has been edited, or is older than what go.mod asks for, is none.
func TestCopy(t *testing.T) {
	binary := filepath.Join(bin, "plain")
	copied := filepath.Join(service, "third_party", "fasthttp")
	passes(t, service, []string{"verify", "third_party/fasthttp"}, "third_party/fasthttp: ok: github.com/valyala/fasthttp v1.78.0 with our patches, and nothing else")

	t.Run("edited", func(t *testing.T) {
		edit(t, filepath.Join(copied, "server.go"), "package fasthttp", "package fasthttp // mine")
		fails(t, service, []string{"doctor", binary}, "the copy has been edited by hand: server.go")
		fails(t, service, []string{"verify", "third_party/fasthttp"}, "NOT OK", "  changed: server.go\n")
	})
	t.Run("manifest edited too", func(t *testing.T) {
		// A hash that somebody has put right.
		edit(t, filepath.Join(copied, "server.go"), "package fasthttp", "package fasthttp // mine")
		edit(t, filepath.Join(copied, ".fastdrain.json"), `"server.go"`, `"server.go.bak"`)
		fails(t, service, []string{"verify", "third_party/fasthttp"}, "  changed: server.go\n")
	})
	t.Run("added", func(t *testing.T) {
		write(t, filepath.Join(copied, "mine.go"), "package fasthttp\n")
		fails(t, service, []string{"doctor", binary}, "the copy has been edited by hand: mine.go")
		fails(t, service, []string{"verify", "third_party/fasthttp"}, "  foreign: mine.go\n")
	})
	t.Run("missing", func(t *testing.T) {
		edit(t, filepath.Join(copied, "stackless", "func.go"), "", "")
		fails(t, service, []string{"verify", "third_party/fasthttp"}, "  missing: stackless/func.go\n")
	})
	t.Run("line ends", func(t *testing.T) {
		edit(t, filepath.Join(copied, "server.go"), "\n", "\r\n")
		passes(t, service, []string{"doctor", binary}, "ok")
		passes(t, service, []string{"verify", "third_party/fasthttp"}, "ok")
	})
	t.Run("elsewhere", func(t *testing.T) {
		passes(t, t.TempDir(), []string{"doctor", copyTo(t, binary)}, "unknown:  whether the copy was edited: ./third_party/fasthttp is not here")
	})
	t.Run("not rebuilt", func(t *testing.T) {
		passes(t, service, []string{"vendor", "-upstream", "v1.77.0", "-o", "third_party/fasthttp"})
		fails(t, service, []string{"doctor", binary}, "the copy has changed since it was built")
		older := filepath.Join(t.TempDir(), "older")
		// As a bot does, or another requirement; vendor itself asks for the copy's.
		if out, err := run(service, "go", "mod", "edit", "-require=github.com/valyala/fasthttp@v1.78.0"); err != nil {
			t.Fatal(err, out)
		}
		if _, err := run(service, "go", "build", "-o", older, "./plain"); err != nil {
			t.Fatal(err)
		}
		fails(t, service, []string{"doctor", older}, "go.mod asks for a newer version than the copy is made of: v1.78.0, and the copy is v1.77.0", "to do:    take a newer copy")
		passes(t, service, []string{"verify", "third_party/fasthttp"}, "v1.77.0 with our patches, and nothing else", "not the pinned version")
		fails(t, service, []string{"verify", "-upstream", "v1.78.0", "third_party/fasthttp"}, "  changed: server.go\n")
		passes(t, service, []string{"vendor", "-o", "third_party/fasthttp"})
		passes(t, service, []string{"doctor", binary}, "ok")
	})
}

// edit replaces a text wherever it occurs, until the test has ended. Without a
// text it removes the file.
func edit(t *testing.T, file, old, text string) {
	t.Helper()
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.Remove(file) // it is read-only
		if err := os.WriteFile(file, was, info.Mode()); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if old == "" {
		return
	}
	if !strings.Contains(string(was), old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(was), old, text)), info.Mode()); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	t.Cleanup(func() { os.Remove(file) })
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func copyTo(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), filepath.Base(file))
	if err := os.WriteFile(to, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}
