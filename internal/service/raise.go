package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// askTime bounds what the go command is asked: it may have to download the go.mod
// files of modules.
const askTime = time.Minute

// raise changes the versions that a go.mod asks for to what the go command makes
// of them when the module comes from the copy: the module is asked for in the
// version of the copy, and the rest is as high as the copy, and what that needs,
// wants it. It returns the modules that the copy needs, the indirect ones too.
//
// If the go command cannot tell, guessed says why, and only what the go.mod of the
// copy itself says is taken into account.
func raise(ctx context.Context, file *modfile.File, c Copy, goMod string) (needs map[string]string, guessed, err error) {
	ours, err := parseGoMod("go.mod", c.GoMod)
	if err != nil {
		return nil, nil, err
	}
	if err := raiseTo(file, ours); err != nil {
		return nil, nil, err
	}
	if requirements(file)[c.Module] == nil {
		file.AddNewRequire(c.Module, c.Version, false)
	} else if err := file.AddRequire(c.Module, c.Version); err != nil {
		return nil, nil, err
	}
	needs = versions(ours)
	delete(needs, "go")
	delete(needs, "toolchain")

	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	dir, err := os.MkdirTemp("", "fastdrain-ask-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	all, guessed := buildList(ctx, dir, c)
	if guessed != nil {
		return needs, guessed, nil
	}
	resolved, guessed := resolve(ctx, dir, file, c.Module, goMod)
	if guessed != nil {
		return all, guessed, nil
	}
	return all, nil, raiseTo(file, resolved)
}

// raiseTo raises the go line and the requirements to those of another go.mod,
// which may have more of them.
func raiseTo(file, other *modfile.File) error {
	if g := goOf(other); version.Compare("go"+g, "go"+goOf(file)) > 0 {
		if err := file.AddGoStmt(g); err != nil {
			return err
		}
	}
	// The go command drops a toolchain that the go line asks for anyway
	// (https://go.dev/doc/toolchain).
	if t := toolchainOf(file); version.IsValid(t) && version.Compare(t, "go"+goOf(file)) <= 0 {
		file.DropToolchainStmt()
	}
	have := requirements(file)
	for path, r := range requirements(other) {
		if mine := have[path]; mine != nil && semver.Compare(r.Mod.Version, mine.Mod.Version) > 0 {
			if err := file.AddRequire(path, r.Mod.Version); err != nil {
				return err
			}
		}
	}
	return nil
}

// buildList asks the go command for all modules that the copy needs. It leaves the
// go.mod and go.sum of the copy in dir/copy.
func buildList(ctx context.Context, dir string, c Copy) (map[string]string, error) {
	at := filepath.Join(dir, "copy")
	err := errors.Join(os.Mkdir(at, 0o755),
		os.WriteFile(filepath.Join(at, "go.mod"), c.GoMod, 0o644),
		os.WriteFile(filepath.Join(at, "go.sum"), c.GoSum, 0o644))
	if err != nil {
		return nil, err
	}
	out, err := goList(ctx, at, "-m", "-f", "{{.Path}} {{.Version}}", "all")
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for line := range strings.Lines(out) {
		if path, v, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all[path] = v
		}
	}
	return all, nil
}

// resolve has the go command raise what a go.mod asks for to what its modules ask
// for, with the copy in dir/copy in the place of the module.
func resolve(ctx context.Context, dir string, file *modfile.File, module, goMod string) (*modfile.File, error) {
	text, err := format(file)
	if err != nil {
		return nil, err
	}
	tried, err := parseGoMod(goMod, text)
	if err != nil {
		return nil, err
	}
	if err := tried.AddReplace(module, "", filepath.Join(dir, "copy"), ""); err != nil {
		return nil, err
	}
	if text, err = format(tried); err != nil {
		return nil, err
	}
	var sums bytes.Buffer
	for _, name := range []string{goSum(goMod), filepath.Join(dir, "copy", "go.sum")} {
		if sum, err := os.ReadFile(name); err == nil {
			sums.Write(append(bytes.TrimRight(sum, "\n"), '\n'))
		}
	}
	modFile := filepath.Join(dir, "go.mod")
	err = errors.Join(os.WriteFile(modFile, text, 0o644), os.WriteFile(filepath.Join(dir, "go.sum"), sums.Bytes(), 0o644))
	if err != nil {
		return nil, err
	}
	if _, err := goList(ctx, filepath.Dir(goMod), "-modfile="+modFile, "-m", "all"); err != nil {
		return nil, err
	}
	return readGoMod(modFile)
}

// goList runs go list -mod=mod in dir, in no workspace.
func goList(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-mod=mod"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GO111MODULE=on", "PWD="+dir)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		if msg, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n"); msg != "" {
			err = fmt.Errorf("%s", strings.TrimPrefix(msg, "go: "))
		}
		return "", err
	}
	return out.String(), nil
}
