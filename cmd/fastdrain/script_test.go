package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
	"golang.org/x/tools/txtar"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fastdrain": main,
	})
}

// upModule is the upstream of the scripts.
const upModule = "example.com/up"

// TestScripts runs the command as a user does, on a small upstream of our own in
// a module proxy that is a directory: no network, and nothing of the machine's
// module cache.
func TestScripts(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the command runs the go command, which is not here")
	}
	base, err := txtar.ParseFile("testdata/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	goCache := goEnv(t, "GOCACHE")
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			for _, f := range base.Files {
				path := filepath.Join(env.WorkDir, f.Name)
				if _, err := os.Stat(path); err == nil {
					continue
				}
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					return err
				}
				if err := os.WriteFile(path, f.Data, 0o644); err != nil {
					return err
				}
			}
			versions, err := os.ReadDir(filepath.Join(env.WorkDir, "up"))
			if err != nil {
				return err
			}
			proxy := filepath.Join(env.WorkDir, "proxy")
			for _, v := range versions {
				if err := publish(proxy, upModule, v.Name(), filepath.Join(env.WorkDir, "up", v.Name())); err != nil {
					return err
				}
			}
			// More modules are in mods/NAME@VERSION, as example.com/NAME.
			more, err := filepath.Glob(filepath.Join(env.WorkDir, "mods", "*@*"))
			if err != nil {
				return err
			}
			for _, dir := range more {
				name, version, _ := strings.Cut(filepath.Base(dir), "@")
				if err := publish(proxy, "example.com/"+name, version, dir); err != nil {
					return err
				}
			}
			env.Setenv("GOPROXY", "file://"+proxy)
			env.Setenv("GOSUMDB", "off")
			env.Setenv("GOMODCACHE", filepath.Join(env.WorkDir, "modcache"))
			env.Setenv("GOFLAGS", "-modcacherw")
			env.Setenv("GOCACHE", goCache)
			env.Setenv("GOTOOLCHAIN", "local")
			env.Setenv("GOENV", "off")
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			env.Cd = filepath.Join(env.WorkDir, "proj")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"replace": replaceText,
			"inode":   sameInode,
			"chomp":   chomp,
			"writable": func(ts *testscript.TestScript, neg bool, args []string) {
				for _, file := range args {
					info, err := os.Stat(ts.MkAbs(file))
					ts.Check(err)
					if (info.Mode().Perm()&0o200 != 0) == neg {
						ts.Fatalf("%s has the mode %v", file, info.Mode())
					}
				}
			},
		},
	})
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// publish puts a version of a module into a module proxy. A directory with a file named
// NOZIP is listed, but cannot be downloaded.
func publish(proxy, path, version, dir string) error {
	v := filepath.Join(proxy, path, "@v")
	if err := os.MkdirAll(v, 0o755); err != nil {
		return err
	}
	list, err := os.OpenFile(filepath.Join(v, "list"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	fmt.Fprintln(list, version)
	if err := list.Close(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "NOZIP")); err == nil {
		return nil
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	info, err := json.Marshal(map[string]string{"Version": version})
	if err != nil {
		return err
	}
	z, err := os.Create(filepath.Join(v, version+".zip"))
	if err != nil {
		return err
	}
	return errors.Join(
		modzip.CreateFromDir(z, module.Version{Path: path, Version: version}, dir),
		z.Close(),
		os.WriteFile(filepath.Join(v, version+".mod"), mod, 0o644),
		os.WriteFile(filepath.Join(v, version+".info"), info, 0o644),
	)
}

// chomp is the script command "chomp FILE": the file's last newline goes, which
// an archive cannot leave out.
func chomp(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: chomp file")
	}
	text, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.TrimSuffix(string(text), "\n")), 0o644))
}

// replaceText is the script command "replace FILE OLD NEW": a text that is there
// becomes another.
func replaceText(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace file old new")
	}
	file := ts.MkAbs(args[0])
	text, err := os.ReadFile(file)
	ts.Check(err)
	if !strings.Contains(string(text), args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	info, err := os.Stat(file)
	ts.Check(err)
	ts.Check(os.Remove(file)) // it may be read-only
	ts.Check(os.WriteFile(file, []byte(strings.Replace(string(text), args[1], args[2], 1)), info.Mode().Perm()|0o200))
}

// sameInode is the script command "inode save|same FILE": the file is still the
// one it was, not another with the same content.
func sameInode(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || args[0] != "save" && args[0] != "same" {
		ts.Fatalf("usage: inode save|same file")
	}
	file := ts.MkAbs(args[1])
	saved := file + ".link"
	if args[0] == "save" {
		if err := os.Remove(saved); err != nil && !errors.Is(err, fs.ErrNotExist) {
			ts.Fatalf("%v", err)
		}
		ts.Check(os.Link(file, saved))
		return
	}
	a, err := os.Stat(saved)
	ts.Check(err)
	b, err := os.Stat(file)
	ts.Check(err)
	if os.SameFile(a, b) == neg {
		ts.Fatalf("%s: same file is %v", args[1], !neg)
	}
}
