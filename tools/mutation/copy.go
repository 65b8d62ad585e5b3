package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/project"
)

// workbench makes mutants, one after the other, in one directory.
type workbench struct {
	patches string // the text of PATCHES.md
	copy    *project.Copy
	dir     string
	written map[string]string // by path, so that only what differs is written
}

func newWorkbench(ctx context.Context, p *project.Project, dir string) (*workbench, error) {
	text, err := os.ReadFile(filepath.Join(p.Root, project.PatchesName))
	if err != nil {
		return nil, err
	}
	c, err := p.Copy(ctx, "")
	if err != nil {
		return nil, err
	}
	return &workbench{patches: string(text), copy: c, dir: dir, written: map[string]string{}}, nil
}

// make writes a mutant.
func (w *workbench) make(m *mutant) error {
	text, ours := w.patches, map[string]string{}
	for _, e := range m.edits {
		if e.file != "" {
			if _, ok := ours[e.file]; !ok {
				ours[e.file] = string(w.copy.Files[e.file])
			}
			have := ours[e.file]
			if n := strings.Count(have, e.old); n != 1 {
				return fmt.Errorf("server/%s has %q %d times and not once: bring mutants.go up to date", e.file, e.old, n)
			}
			ours[e.file] = strings.Replace(have, e.old, e.new, 1)
			continue
		}
		begin, end, err := section(text, m.patch)
		if err != nil {
			return err
		}
		if n := strings.Count(text[begin:end], e.old); n != 1 {
			return fmt.Errorf("the patch %s has %q %d times and not once: bring mutants.go up to date", m.patch, e.old, n)
		}
		text = text[:begin] + strings.Replace(text[begin:end], e.old, e.new, 1) + text[end:]
	}
	set, err := patch.Parse(project.PatchesName, []byte(text))
	if err != nil {
		return err
	}
	if m.without {
		set.Patches = slices.DeleteFunc(set.Patches, func(p *patch.Patch) bool { return p.Name == m.patch })
	}
	result, err := set.Apply(w.copy.Pristine)
	if err != nil {
		return err
	}
	for name, data := range w.copy.Files {
		if strings.HasSuffix(name, "_test.go") && !slices.Contains(w.copy.Ours, name) {
			continue
		}
		text := string(data)
		if f, ok := w.copy.Pristine[name]; ok && w.copy.Result.Files[name] != nil {
			text = string(f.Data)
		}
		if patched, ok := result.Files[name]; ok {
			text = string(patched)
		}
		if mutated, ok := ours[name]; ok {
			text = mutated
		}
		if have, ok := w.written[name]; ok && have == text {
			continue
		}
		path := filepath.Join(w.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
		w.written[name] = text
	}
	return nil
}

// section finds a patch in the text of PATCHES.md.
func section(text, name string) (begin, end int, err error) {
	heading := "\n### " + name + "\n"
	begin = strings.Index(text, heading)
	if begin < 0 {
		return 0, 0, fmt.Errorf("PATCHES.md has no patch %s: bring mutants.go up to date", name)
	}
	begin++
	end = len(text)
	if n := strings.Index(text[begin:], "\n##"); n >= 0 {
		end = begin + n + 1
	}
	return begin, end, nil
}
