package service

import (
	"bytes"
	"fmt"
	"go/version"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fastdrain/fastdrain/internal/tree"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// restored is what becomes of a go.mod and its go.sum without the copy.
type restored struct {
	goMod []byte
	goSum *string // nil: it goes
	// added and gone are the lines that differ from what go.mod was, and why is
	// what is known of the reasons.
	added, gone, why []string
	// sums is how many lines of go.sum are not from before.
	sums int
}

// restore takes out of a go.mod what Plan has put in, and what the go command has
// done for the copy's sake: it has raised requirements of the copy, dropped those
// that only upstream's version had, and added what is new in it. What else is
// different has been done by somebody, and stays.
func (n *note) restore(goMod, path, line string) (*restored, error) {
	text, err := os.ReadFile(goMod)
	if err != nil {
		return nil, err
	}
	now, err := parseGoMod(goMod, text)
	if err != nil {
		return nil, fmt.Errorf("nothing was changed: %w", err)
	}
	old, err := parseGoMod(tree.NoteName, []byte(n.GoMod))
	if err != nil {
		return nil, err
	}
	r := &restored{}
	if err := restoreReplace(now, old, path, line); err != nil {
		return nil, err
	}
	if err := n.restoreGo(now, old, r); err != nil {
		return nil, err
	}
	n.restoreRequirements(now, old, path, r)
	if r.goMod, err = format(now); err != nil {
		return nil, err
	}
	if r.added, r.gone, err = difference(r.goMod, []byte(n.GoMod)); err != nil {
		return nil, err
	}
	if len(r.added)+len(r.gone) == 0 {
		r.goMod = []byte(n.GoMod)
	}
	return r, n.restoreSums(goMod, r)
}

// restoreReplace takes the line out and puts back those that it took the place of.
// Others for the same module are somebody's.
func restoreReplace(now, old *modfile.File, path, line string) error {
	have := map[string]bool{}
	for _, r := range slices.Clone(now.Replace) {
		if r.Old.Path != path {
			continue
		}
		if replaceLine(r) != line {
			have[r.Old.Version] = true
			continue
		}
		if err := now.DropReplace(r.Old.Path, r.Old.Version); err != nil {
			return err
		}
	}
	now.Cleanup() // a dropped line is empty until then
	for _, r := range old.Replace {
		if r.Old.Path != path || have[r.Old.Version] {
			continue
		}
		if err := now.AddReplace(r.Old.Path, r.Old.Version, r.New.Path, r.New.Version); err != nil {
			return err
		}
		for _, added := range now.Replace {
			if added.Old == r.Old {
				added.Syntax.Comments = r.Syntax.Comments
			}
		}
	}
	return nil
}

// restoreGo gives the go and the toolchain line back, unless somebody has changed
// them since.
func (n *note) restoreGo(now, old *modfile.File, r *restored) error {
	c, ok := n.Changed["go"]
	if !ok {
		return nil
	}
	if goOf(now) != c.After {
		if goOf(now) != c.Before {
			r.stays("go", goOf(now), c)
		}
		return nil
	}
	if c.Before == "" {
		now.DropGoStmt()
	} else if err := now.AddGoStmt(c.Before); err != nil {
		return err
	}
	// The go line made it superfluous, so the go command may have dropped it.
	t := toolchainOf(old)
	if c, ok := n.Changed["toolchain"]; ok {
		t = c.Before
	}
	if t == "" || toolchainOf(now) != "" || version.IsValid(t) && version.Compare(t, "go"+c.After) > 0 {
		return nil
	}
	if err := now.AddToolchainStmt(t); err != nil {
		return err
	}
	if old.Toolchain != nil && old.Toolchain.Name == t {
		now.Toolchain.Syntax.Comments = old.Toolchain.Syntax.Comments
	}
	return nil
}

// restoreRequirements decides for each module which version it goes back to.
func (n *note) restoreRequirements(now, old *modfile.File, path string, r *restored) {
	was, is := requirements(old), requirements(now)
	all := maps.Clone(was)
	maps.Copy(all, is)
	var reqs []*modfile.Require
	back := map[string]*modfile.Require{} // what is as it was, comments and all
	for _, p := range slices.Sorted(maps.Keys(all)) {
		o, i := was[p], is[p]
		c, changed := n.Changed[p]
		before := ""
		switch {
		case changed:
			before = c.Before
		case o != nil:
			before = o.Mod.Version
		}
		have := ""
		if i != nil {
			have = i.Mod.Version
		}
		target, indirect := have, i != nil && i.Indirect
		// As Plan has set it, or as the go command has, for the copy's sake.
		brought := i != nil && (changed && have == c.After || n.Copy[p] == have)
		switch {
		case brought && (changed || before != "" || indirect),
			// or dropped, as only upstream's version needs it
			i == nil && o != nil && (o.Indirect || p == path):
			target = before
		case changed && i != nil && have != before:
			r.stays(p, have, c)
		}
		if target == "" {
			continue
		}
		if i == nil || o != nil && target == o.Mod.Version && target != have {
			indirect = o != nil && o.Indirect
		}
		req := &modfile.Require{Indirect: indirect}
		req.Mod = module.Version{Path: p, Version: target}
		reqs = append(reqs, req)
		if o != nil && i == nil && target == o.Mod.Version {
			back[p] = o
		}
	}
	now.SetRequireSeparateIndirect(reqs)
	now.Cleanup()
	for p, i := range requirements(now) {
		if o := back[p]; o != nil {
			i.Syntax.Comments = o.Syntax.Comments
		}
	}
}

func (r *restored) stays(what, have string, c change) {
	if have == "" {
		have = "out"
	} else {
		have = "at " + have
	}
	was := "from " + c.Before + " to " + c.After
	switch "" {
	case c.Before:
		was = "to " + c.After
	case c.After:
		was = "from " + c.Before + " to none"
	}
	r.why = append(r.why, fmt.Sprintf("%s stays %s: vendor set it %s, and it has been changed since", what, have, was))
}

// restoreSums finds what becomes of go.sum. It is what it was, unless go.mod is
// not, or it has hashes of modules that the copy does not need. Then it has what
// it had and what it has: too many hashes do no harm.
func (n *note) restoreSums(goMod string, r *restored) error {
	now, err := readGoSum(goMod)
	if err != nil {
		return err
	}
	r.goSum = n.GoSum
	if now == nil {
		return nil
	}
	before := ""
	if n.GoSum != nil {
		before = strings.ReplaceAll(*n.GoSum, "\r\n", "\n")
	}
	known := map[string]bool{}
	for line := range strings.Lines(before) {
		known[strings.TrimSpace(line)] = true
	}
	exact := len(r.added)+len(r.gone) == 0
	var more []string
	for line := range strings.Lines(*now) {
		line = strings.TrimSpace(line)
		path, _, _ := strings.Cut(line, " ")
		if line != "" && !known[line] && (!exact || n.Copy[path] == "") {
			more = append(more, line)
		}
	}
	if r.sums = len(more); r.sums == 0 {
		return nil
	}
	for line := range known {
		if line != "" {
			more = append(more, line)
		}
	}
	slices.Sort(more) // the order means nothing to the go command
	text := strings.Join(more, "\n") + "\n"
	r.goSum = &text
	return nil
}

// restoreWork gives a go.work back, or its go line, unless a module of the
// workspace asks for more. It returns the text, nil if it stays, and why.
func (w *workNote) restoreWork(dir, goMod string, ours []byte) (file string, text []byte, why string, err error) {
	file = filepath.Join(realDir(dir), filepath.FromSlash(w.File))
	now, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return file, nil, "", nil
	}
	if err != nil {
		return "", nil, "", err
	}
	was, err := modfile.ParseWork(tree.NoteName, []byte(w.Was), nil)
	if err != nil {
		return "", nil, "", err
	}
	is, err := modfile.ParseWork(file, now, nil)
	if err != nil {
		return "", nil, "", err
	}
	to := "1.18"
	if was.Go != nil {
		to = was.Go.Version
	}
	for _, name := range goModsOf(file, is) {
		other, err := readGoMod(name)
		if same(name, goMod) {
			other, err = parseGoMod(name, ours)
		}
		if err != nil {
			continue // a module that is not there asks for nothing
		}
		if g := goOf(other); version.Compare("go"+g, "go"+to) > 0 {
			return file, nil, fmt.Sprintf("its go line stays at %s: %s asks for %s", is.Go.Version, name, g), nil
		}
	}
	switch string(now) {
	case w.Is:
		return file, []byte(w.Was), "", nil
	case w.Was: // by a Remove that was interrupted
		return file, nil, "", nil
	}
	set, err := modfile.ParseWork(tree.NoteName, []byte(w.Is), nil)
	if err != nil {
		return "", nil, "", err
	}
	if is.Go == nil || set.Go == nil || is.Go.Version != set.Go.Version {
		return file, nil, "its go line has been changed since, and stays", nil
	}
	if was.Go == nil {
		is.DropGoStmt()
	} else if err := is.AddGoStmt(to); err != nil {
		return "", nil, "", err
	}
	if was.Toolchain != nil && is.Toolchain == nil {
		if err := is.AddToolchainStmt(was.Toolchain.Name); err != nil {
			return "", nil, "", err
		}
	}
	is.Cleanup()
	text = modfile.Format(is.Syntax)
	if bytes.Equal(text, now) {
		text = nil
	}
	return file, text, "", nil
}
