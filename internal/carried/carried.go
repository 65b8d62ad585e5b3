// Package carried is the project as the command carries it: what it takes to make
// a patched copy, and nothing to work on. A command that was installed without a
// clone (go install .../cmd/fastdrain@latest) works on it.
package carried

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/tools/txtar"

	"github.com/fastdrain/fastdrain"
	"github.com/fastdrain/fastdrain/internal/project"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// archive has our files of server/, which is a module of its own, so that no
// package of this one can embed them.
//
//go:generate go test -run ^TestArchiveIsCurrent$ -update
//go:embed server.txtar
var archive []byte

// Unpack writes the project into a new temporary directory. The caller calls
// remove when it is done with it.
func Unpack() (p *project.Project, remove func() error, err error) {
	dir, err := os.MkdirTemp("", "fastdrain-")
	if err != nil {
		return nil, nil, err
	}
	remove = func() error { return os.RemoveAll(dir) }
	if err := write(dir); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("unpacking what the command carries: %w", err), remove())
	}
	p, err = project.At(dir)
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return p, remove, nil
}

func write(dir string) error {
	files := map[string][]byte{
		"go.mod":            []byte("module " + project.Module + "\n"),
		"LICENSE":           fastdrain.License,
		project.PatchesName: fastdrain.Patches,
	}
	for _, f := range txtar.Parse(archive).Files {
		files["server/"+f.Name] = f.Data
	}
	for name, data := range files {
		if err := tree.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
