package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// Module is the module path of the project.
const Module = "github.com/fastdrain/fastdrain"

// PatchesName is the name of the patch set in the project's root.
const PatchesName = "PATCHES.md"

// Project is a checkout of the project.
type Project struct {
	// Root is its absolute path.
	Root string
}

// Find returns the project that dir is in. If it is in none, the project that
// the running command was built in is taken.
func Find(dir string) (*Project, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if root := findUp(abs); root != "" {
		return &Project{root}, nil
	}
	if exe, err := os.Executable(); err == nil {
		if exe, err = filepath.EvalSymlinks(exe); err == nil {
			if root := findUp(filepath.Dir(exe)); root != "" {
				return &Project{root}, nil
			}
		}
	}
	return nil, fmt.Errorf("no fastdrain project at %s or above it (a directory with %s and the go.mod of %s): run in a clone of it, or say where it is with -C DIR",
		abs, PatchesName, Module)
}

// At returns the project whose root is dir.
func At(dir string) (*Project, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if !isRoot(abs) {
		return nil, fmt.Errorf("%s is not the root of a fastdrain project: it has no %s with a go.mod of %s", abs, PatchesName, Module)
	}
	return &Project{abs}, nil
}

func findUp(dir string) string {
	for {
		if isRoot(dir) {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

func isRoot(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, PatchesName)); err != nil {
		return false
	}
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && modfile.ModulePath(data) == Module
}

// Server is the directory of the patched copy.
func (p *Project) Server() string { return filepath.Join(p.Root, "server") }

// Patches reads PATCHES.md.
func (p *Project) Patches() (*patch.Set, error) {
	text, err := os.ReadFile(filepath.Join(p.Root, PatchesName))
	if err != nil {
		return nil, err
	}
	return patch.Parse(PatchesName, text)
}

// Ours reads our Go files in server/: those that vendor did not write. Folders
// whose names begin with a dot are not looked into.
func (p *Project) Ours() (map[string][]byte, error) {
	names, err := p.ourNames()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(p.Server(), filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	return files, nil
}

// ourNames are the paths of our Go files in server/, sorted.
func (p *Project) ourNames() ([]string, error) {
	written, err := tree.Written(p.Server())
	if err != nil {
		return nil, err
	}
	var names []string
	err = filepath.WalkDir(p.Server(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(p.Server(), path)
		if err != nil {
			return err
		}
		if name := filepath.ToSlash(rel); d.Type().IsRegular() && strings.HasSuffix(name, ".go") && !written[name] {
			names = append(names, name)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}
