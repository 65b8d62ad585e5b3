package project

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// workspace is the go.work that a module is used in, parsed, and nil if it is in
// none. GOWORK decides as it does for the go command (https://go.dev/ref/mod#workspaces).
func workspace(goMod string) (file string, work *modfile.WorkFile, err error) {
	file = os.Getenv("GOWORK")
	switch file {
	case "off":
		return "", nil, nil
	case "":
		if file = findAbove(filepath.Dir(goMod), "go.work"); file == "" {
			return "", nil, nil
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	if work, err = modfile.ParseWork(file, text, nil); err != nil {
		return "", nil, err
	}
	for _, name := range goModsOf(file, work) {
		if same(name, goMod) {
			return file, work, nil
		}
	}
	return "", nil, nil
}

// goModsOf are the go.mod files of a workspace's modules.
func goModsOf(file string, work *modfile.WorkFile) []string {
	var names []string
	for _, use := range work.Use {
		names = append(names, filepath.Join(resolve(file, use.Path), "go.mod"))
	}
	return names
}

// resolve is the directory that a path in a go.mod or go.work means.
func resolve(file, path string) string {
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	return filepath.Clean(path)
}

func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// checkWorkspace returns the go.work that the module is used in. It is an error
// if the line to dir could not take effect there: a replace line of go.work goes
// before those of its modules, and the go command refuses two modules with
// different lines.
func checkWorkspace(goMod, module, dir string) (string, error) {
	file, work, err := workspace(goMod)
	if err != nil || work == nil {
		return "", err
	}
	for _, r := range work.Replace {
		if r.Old.Path == module && !same(resolve(file, r.New.Path), dir) {
			return "", fmt.Errorf("%s replaces %s by %s, which goes before the line of a go.mod: remove it there and run again", file, module, r.New.Path)
		}
	}
	for _, name := range goModsOf(file, work) {
		if same(name, goMod) {
			continue
		}
		other, err := readGoMod(name)
		if err != nil {
			return "", err
		}
		for _, r := range other.Replace {
			if r.Old.Path != module || r.New.Version == "" && same(resolve(name, r.New.Path), dir) {
				continue
			}
			return "", fmt.Errorf("%s, a module of the same workspace, replaces %s by %s, and the go command wants one line for all of them: share that copy (vendor -o with its folder), or remove the line there", name, module, r.New.Path)
		}
	}
	return file, nil
}

// sharedBy names another module of the workspace that uses the copy in dir.
func sharedBy(goMod, dir string) (string, error) {
	file, work, err := workspace(goMod)
	if err != nil || work == nil {
		return "", err
	}
	for _, name := range goModsOf(file, work) {
		if same(name, goMod) {
			continue
		}
		other, err := readGoMod(name)
		if err != nil {
			return "", err
		}
		for _, r := range other.Replace {
			if r.New.Version == "" && same(resolve(name, r.New.Path), dir) {
				return name, nil
			}
		}
	}
	return "", nil
}
