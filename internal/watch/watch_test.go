package watch

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestTheRule has a function for each way to be watched, and for each way not to
// be.
func TestTheRule(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/up\n\ngo 1.26\n",
		"ours.go": `package up

func ours(s *Server) {
	called()
	_ = value
	s.method()
	generic(1)
	(&box[int]{}).get()
	_ = Server.copied
	touched()
	helper()
}

func helper() {}
`,
		"ours_test.go": "package up\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) { byTestsOnly() }\n",
		"up.go": `package up

type Server struct {
	stop, Name int
	inner
}

type inner struct{ open int }

type other struct{ stop int }

type box[T any] struct{ v T }

func called()               { indirectly() }
func value()                {}
func (s *Server) method()   {}
func (s Server) copied()    {}
func generic[T any](v T)    {}
func (b *box[T]) get() T    { return b.v }
func touched()              {}
func indirectly()           {}
func byTestsOnly()          {}
func stops(s *Server) int   { return s.stop }
func names(s *Server) int   { return s.Name }
func elsewhere(o other) int { return o.stop }
func local() int            { stop := 1; return stop }
func (s *Server) open2() int { return s.open }

var variable = called
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := Find(context.Background(), dir,
		func(file string) bool { return file == "ours.go" },
		func(decl string) bool { return decl == "up.go touched" })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"up.go (*Server).method", "up.go (*box).get", "up.go (Server).copied", "up.go called",
		"up.go generic", "up.go stops", "up.go value",
	}
	if !slices.Equal(have, want) {
		t.Errorf("watched are %q, want %q", have, want)
	}
}

func TestACopyThatDoesNotCompileIsAnError(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/up\n", "up.go": "package up\n\nvar a = b\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	no := func(string) bool { return false }
	if names, err := Find(context.Background(), dir, no, no); err == nil {
		t.Errorf("watched are %q, and no error", names)
	}
}
