package service

import (
	"fmt"
	"go/version"
	"os"
	"path/filepath"
	"slices"

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
		names = append(names, filepath.Join(resolvePath(file, use.Path), "go.mod"))
	}
	return names
}

// resolvePath is the directory that a path in a go.mod or go.work means.
func resolvePath(file, path string) string {
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	return filepath.Clean(path)
}

// same says whether two paths mean one file or folder, which may be still to be
// made.
func same(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// checkWorkspace returns the go.work that the module is used in, as it is. It is an error
// if the line to dir could not take effect there: a replace line of go.work goes
// before those of its modules, and the go command refuses two modules with
// different lines.
func checkWorkspace(goMod, module, dir string) (string, *modfile.WorkFile, error) {
	file, work, err := workspace(goMod)
	if err != nil || work == nil {
		return "", nil, err
	}
	for _, r := range work.Replace {
		if r.Old.Path == module && !same(resolvePath(file, r.New.Path), dir) {
			return "", nil, fmt.Errorf("%s replaces %s by %s, which goes before the line of a go.mod: remove it there and run again", file, module, r.New.Path)
		}
	}
	for _, name := range goModsOf(file, work) {
		if same(name, goMod) {
			continue
		}
		other, err := readGoMod(name)
		if err != nil {
			return "", nil, err
		}
		for _, r := range other.Replace {
			if r.Old.Path != module || r.New.Version == "" && same(resolvePath(name, r.New.Path), dir) {
				continue
			}
			return "", nil, fmt.Errorf("%s, a module of the same workspace, replaces %s by %s, and the go command wants one line for all of them: share that copy (vendor -o with its folder), or remove the line there", name, module, r.New.Path)
		}
	}
	return file, work, nil
}

// raiseWork raises the go line of a go.work that is below that of one of its
// modules, which the go command refuses. It returns what it was, empty if that was
// enough.
func raiseWork(work *modfile.WorkFile, to string) (was string) {
	was = "1.18" // what no line means, https://go.dev/ref/mod#go-work-file-go
	if work.Go != nil {
		was = work.Go.Version
	}
	if version.Compare("go"+to, "go"+was) <= 0 || work.AddGoStmt(to) != nil {
		return ""
	}
	if t := work.Toolchain; t != nil && version.IsValid(t.Name) && version.Compare(t.Name, "go"+to) <= 0 {
		work.DropToolchainStmt()
	}
	work.Cleanup()
	return was
}

// users are the go.mod files of other modules that use the copy in dir: those of
// the workspace, and those that the notes in it are about.
func users(goMod, dir string, n notes, key string) ([]string, error) {
	file, work, err := workspace(goMod)
	if err != nil {
		return nil, err
	}
	names := n.users(realDir(dir), key)
	if work != nil {
		names = append(names, goModsOf(file, work)...)
	}
	var found []string
	for _, name := range names {
		if _, err := os.Stat(name); err != nil || same(name, goMod) || slices.ContainsFunc(found, func(f string) bool { return same(f, name) }) {
			continue
		}
		other, err := readGoMod(name)
		if err != nil {
			return nil, err
		}
		for _, r := range other.Replace {
			if r.New.Version == "" && same(resolvePath(name, r.New.Path), dir) {
				found = append(found, name)
				break
			}
		}
	}
	return found, nil
}
