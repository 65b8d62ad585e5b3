package carried

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/fastdrain/fastdrain/internal/project"
	"github.com/fastdrain/fastdrain/internal/tree"
)

var update = flag.Bool("update", false, "write server.txtar")

// current is the archive of the working tree.
func current(t *testing.T) *txtar.Archive {
	t.Helper()
	p, err := project.At("../..")
	if err != nil {
		t.Fatal(err)
	}
	files, err := p.Ours()
	if err != nil {
		t.Fatal(err)
	}
	if files["pin.json"], err = os.ReadFile(filepath.Join(p.Server(), "pin.json")); err != nil {
		t.Fatal(err)
	}
	a := &txtar.Archive{Comment: []byte("Our files of server/, for the command. Made by make; do not edit, but merge as you merge server/.\n\n")}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: files[name]})
	}
	return a
}

func TestArchiveIsCurrent(t *testing.T) {
	want := txtar.Format(current(t))
	if bytes.Equal(archive, want) {
		return
	}
	if !*update {
		t.Fatal("server.txtar is not what server/ has: run go generate ./internal/carried, as make does, and commit it together with server/")
	}
	if err := tree.WriteFile("server.txtar", want, 0o644); err != nil {
		t.Fatal(err)
	}
}

// What an archive of text can hold is limited: a file without a line end at its end,
// and lines that look like those between the files, would come out as others.
func TestUnpackedProjectIsTheCheckout(t *testing.T) {
	p, remove, err := Unpack()
	if err != nil {
		t.Fatal(err)
	}
	dir := p.Root
	defer remove()
	for _, f := range current(t).Files {
		if have, err := os.ReadFile(filepath.Join(p.Server(), f.Name)); err != nil || !bytes.Equal(have, f.Data) {
			t.Errorf("server/%s is not what it is in the checkout (%v)", f.Name, err)
		}
	}
	for _, name := range []string{project.PatchesName, "LICENSE"} {
		want, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if have, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is not what it is in the checkout (%v)", name, err)
		}
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", dir, err)
	}
}
