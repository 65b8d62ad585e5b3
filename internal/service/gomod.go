package service

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// findGoMod is the go.mod in dir or the nearest above it, empty if there is none.
func findGoMod(dir string) string { return findAbove(dir, "go.mod") }

func findAbove(dir, name string) string {
	for {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
		dir = filepath.Dir(dir)
	}
}

// goModFor is the go.mod of the working directory, and else the nearest above
// dir: that one, too, if it is of a module that the working directory is not
// below (vendor -o ~/my-service/third_party/fasthttp, run in a clone of this
// project). In the copy itself it is the one above the copy.
func goModFor(dir string) (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if below(wd, dir) {
		wd = filepath.Dir(dir) // the go.mod in dir is the copy's own
	}
	here, there := findGoMod(wd), findGoMod(filepath.Dir(dir))
	if here == "" || there != "" && !below(filepath.Dir(here), filepath.Dir(there)) {
		return there, nil
	}
	return here, nil
}

// below says whether a directory is another one or in it.
func below(dir, other string) bool {
	rel, err := filepath.Rel(other, dir)
	return err == nil && filepath.IsLocal(rel)
}

func parseGoMod(name string, text []byte) (*modfile.File, error) {
	// Git may have put a CR before each LF, and the go command takes it out.
	return modfile.Parse(name, bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), nil)
}

func readGoMod(name string) (*modfile.File, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	file, err := parseGoMod(name, text)
	if err != nil {
		return nil, fmt.Errorf("nothing was changed: %w", err)
	}
	return file, nil
}

func format(file *modfile.File) ([]byte, error) {
	file.Cleanup()
	return file.Format()
}

// writeFile writes a file with the permissions that it has, and removes what a
// process has left that was killed at it. As the go command does, it writes what a
// symbolic link leads to, and leaves the link.
func writeFile(name string, text []byte) error {
	mode := fs.FileMode(0o644)
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		mode = info.Mode().Perm()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tree.RemoveLeftovers(filepath.Dir(name))
	return tree.WriteFile(name, text, mode)
}

// goOf is the version of a go line, empty if there is none.
func goOf(file *modfile.File) string {
	if file.Go == nil {
		return ""
	}
	return file.Go.Version
}

// toolchainOf is the name in a toolchain line, empty if there is none.
func toolchainOf(file *modfile.File) string {
	if file.Toolchain == nil {
		return ""
	}
	return file.Toolchain.Name
}

// requirements are those of a go.mod by module path.
func requirements(file *modfile.File) map[string]*modfile.Require {
	reqs := map[string]*modfile.Require{}
	for _, r := range file.Require {
		reqs[r.Mod.Path] = r
	}
	return reqs
}

// replaceLine is a replace line as a go.mod has it, a path with a blank in quotes.
func replaceLine(r *modfile.Replace) string {
	return "replace " + strings.TrimSpace(r.Old.Path+" "+r.Old.Version) + " => " + strings.TrimSpace(modfile.AutoQuote(r.New.Path)+" "+r.New.Version)
}

// lines are what a go.mod says, each line with its verb and its comments, sorted:
// whatever the order, the blocks and the blank lines.
func lines(text []byte) ([]string, error) {
	file, err := parseGoMod("go.mod", text)
	if err != nil {
		return nil, err
	}
	var out []string
	add := func(verb string, tokens []string, c *modfile.Comments) {
		var s []string
		for _, comments := range [][]modfile.Comment{c.Before, {{Token: strings.Join(append([]string{verb}, tokens...), " ")}}, c.Suffix, c.After} {
			for _, comment := range comments {
				if token := strings.TrimSpace(comment.Token); token != "" {
					s = append(s, token)
				}
			}
		}
		if len(s) > 0 {
			out = append(out, strings.Join(s, " "))
		}
	}
	for _, stmt := range file.Syntax.Stmt {
		switch s := stmt.(type) {
		case *modfile.Line:
			add(s.Token[0], s.Token[1:], &s.Comments)
		case *modfile.LineBlock:
			if len(s.Before)+len(s.Suffix)+len(s.After)+len(s.RParen.Before) > 0 {
				add(s.Token[0]+" (", nil, &s.Comments)
				add("", nil, &s.RParen.Comments)
			}
			for _, l := range s.Line {
				add(s.Token[0], l.Token, &l.Comments)
			}
		default:
			add("", nil, s.Comment())
		}
	}
	add("", nil, &file.Syntax.Comments)
	slices.Sort(out)
	return out, nil
}

// difference is what only a and only b say.
func difference(a, b []byte) (onlyA, onlyB []string, err error) {
	left, err := lines(a)
	if err != nil {
		return nil, nil, err
	}
	right, err := lines(b)
	if err != nil {
		return nil, nil, err
	}
	for _, l := range left {
		if i, ok := slices.BinarySearch(right, l); ok {
			right = slices.Delete(right, i, i+1)
		} else {
			onlyA = append(onlyA, l)
		}
	}
	return onlyA, right, nil
}
