package project

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"

	"github.com/fastdrain/fastdrain/internal/tree"
	"github.com/fastdrain/fastdrain/internal/upstream"
)

// modCache is the module cache of all scratch projects: what they publish must
// not get into the machine's.
var modCache string

func TestMain(m *testing.M) {
	var err error
	if modCache, err = os.MkdirTemp("", "fastdrain-modcache-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(modCache)
	os.Exit(code)
}

// scratch is a project of its own in a temporary directory, with a module cache
// and a module proxy for versions that do not exist.
type scratch struct {
	*Project
	t     *testing.T
	proxy string
}

// newScratch makes a project with the patch set and the Go files of server/ that
// are given, and without a pin.
func newScratch(t *testing.T, patches []byte, ours map[string][]byte) *scratch {
	t.Helper()
	env := func(name string) string {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatalf("go env %s: %v", name, err)
		}
		return strings.TrimSpace(string(out))
	}
	s := &scratch{&Project{t.TempDir()}, t, t.TempDir()}
	// What the machine's module cache holds need not be downloaded again.
	cache := filepath.Join(env("GOMODCACHE"), "cache", "download")
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(s.proxy)+",file://"+filepath.ToSlash(cache)+","+env("GOPROXY"))
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOMODCACHE", modCache)
	files := map[string][]byte{
		PatchesName: patches,
		"go.mod":    []byte("module " + Module + "\n"),
	}
	for name, text := range ours {
		files["server/"+name] = text
	}
	for name, text := range files {
		if err := tree.WriteFile(filepath.Join(s.Root, filepath.FromSlash(name)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// copyOfTheProject is a scratch with this project's patches and files.
func copyOfTheProject(t *testing.T) (s *scratch, pin *Pin) {
	t.Helper()
	p := this(t)
	set, err := p.Patches()
	if err != nil {
		t.Fatal(err)
	}
	ours, err := p.Ours()
	if err != nil {
		t.Fatal(err)
	}
	if pin, err = p.Pin(); err != nil {
		t.Fatal(err)
	}
	s = newScratch(t, set.Text, ours)
	return s, pin
}

// this is the project that the test belongs to.
func this(t *testing.T) *Project {
	t.Helper()
	p, err := Find(".")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pin pins a version that all patches have to apply to.
func (s *scratch) pin(version string) *Pin {
	s.t.Helper()
	_, pin, _, err := s.Repin(context.Background(), version)
	if err != nil {
		s.t.Fatalf("pinning %s: %v", version, err)
	}
	return pin
}

func (s *scratch) check(version string) *Checked {
	s.t.Helper()
	r, err := s.Check(context.Background(), version, func(string) {})
	if err != nil {
		s.t.Fatalf("checking %s: %v", version, err)
	}
	if r.Unavailable != "" {
		s.t.Fatalf("%s is not available: %s", version, r.Unavailable)
	}
	return r
}

// publish makes a version from another by an edit of its server.go.
func (s *scratch) publish(version, from string, edit func(string) string) {
	s.t.Helper()
	mod, err := upstream.Download(context.Background(), DefaultUpstream, from, "")
	if err != nil {
		s.t.Fatal(err)
	}
	files, err := mod.Files()
	if err != nil {
		s.t.Fatal(err)
	}
	text := string(files["server.go"].Data)
	edited := edit(text)
	if edited == text {
		s.t.Fatalf("%s is %s unchanged", version, from)
	}
	dir, at := s.t.TempDir(), filepath.Join(s.proxy, filepath.FromSlash(DefaultUpstream), "@v")
	for name, f := range files {
		data := f.Data
		if name == "server.go" {
			data = []byte(edited)
		}
		if err := tree.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), data, 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	info, err := json.Marshal(map[string]string{"Version": version})
	if err != nil {
		s.t.Fatal(err)
	}
	for suffix, data := range map[string][]byte{".info": info, ".mod": files["go.mod"].Data} {
		if err := tree.WriteFile(filepath.Join(at, version+suffix), data, 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	zip, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := modzip.CreateFromDir(zip, module.Version{Path: DefaultUpstream, Version: version}, dir); err != nil {
		s.t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		s.t.Fatal(err)
	}
}
