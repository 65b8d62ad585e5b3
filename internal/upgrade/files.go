package upgrade

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// documented are the documents that name the pinned version as it is now. Others
// speak of measurements and of the past.
var documented = []string{"README.md", "CONTRIBUTING.md"}

// require raises what the project's modules require, where they require upstream.
func (u *Upgrade) require(ctx context.Context) error {
	mods, err := u.modules()
	if err != nil {
		return err
	}
	for _, mod := range mods {
		dir := filepath.Join(u.scratch.Root, filepath.Dir(mod.Syntax.Name))
		for _, args := range [][]string{
			{"go", "mod", "edit", "-require=" + u.old.Module + "@" + u.Version},
			{"go", "mod", "tidy"},
		} {
			if err := u.commandIn(ctx, dir, args); err != nil {
				return err
			}
		}
	}
	return nil
}

// modules are the go.mod files that require upstream, each after those of the
// modules that it uses. A module has to replace all that it uses, also by way of
// others, so it replaces more than any of them.
func (u *Upgrade) modules() ([]*modfile.File, error) {
	names, err := files(u.scratch.Root)
	if err != nil {
		return nil, err
	}
	var mods []*modfile.File
	for _, name := range names {
		if filepath.Base(name) != "go.mod" || filepath.Dir(name) == "server" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(u.scratch.Root, name))
		if err != nil {
			return nil, err
		}
		mod, err := modfile.Parse(name, text, nil)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(mod.Require, func(r *modfile.Require) bool { return r.Mod.Path == u.old.Module }) {
			mods = append(mods, mod)
		}
	}
	slices.SortStableFunc(mods, func(a, b *modfile.File) int { return len(a.Replace) - len(b.Replace) })
	return mods, nil
}

// documents names the new version where the documents name the pinned one. What is
// supported is the oldest version and all up to the pinned one.
func (u *Upgrade) documents(context.Context) error {
	pinned := regexp.MustCompile(regexp.QuoteMeta(u.old.Version) + `\b`)
	for _, name := range documented {
		file := filepath.Join(u.scratch.Root, name)
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := tree.WriteFile(file, pinned.ReplaceAllLiteral(text, []byte(u.Version)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// mentions are the lines of the project that name the old version still: results,
// a changelog, or what somebody has to write anew.
func (u *Upgrade) mentions() ([]string, error) {
	names, err := files(u.scratch.Root)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, name := range names {
		if ext := filepath.Ext(name); ext != ".md" && ext != ".go" && ext != ".mk" && filepath.Base(name) != "Makefile" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(u.scratch.Root, name))
		if err != nil {
			return nil, err
		}
		for i, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, u.old.Version) {
				line = strings.TrimSpace(line)
				if r := []rune(line); len(r) > 100 {
					line = string(r[:97]) + "..."
				}
				found = append(found, fmt.Sprintf("%s:%d: %s", name, i+1, line))
			}
		}
	}
	return found, nil
}
