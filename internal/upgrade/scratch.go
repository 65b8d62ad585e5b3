package upgrade

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/fastdrain/fastdrain/internal/project"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// tryLock takes a lock that ends with the process.
func tryLock(name string) (unlock func(), err error) {
	return lockedfile.MutexAt(name).Lock()
}

// stamps are the steps that have passed in a scratch copy, and for which files of
// the project: another file, and none of them counts any more.
type stamps struct {
	file string

	Project string   `json:"project"`
	Passed  []string `json:"passed"`
}

func (s *stamps) has(step string) bool { return slices.Contains(s.Passed, step) }

func (s *stamps) add(step string) error {
	s.Passed = append(s.Passed, step)
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return tree.WriteFile(s.file, append(data, '\n'), 0o644)
}

// copy makes the scratch copy of the project in dir, or keeps the one that is
// there if it was made of the same files.
func (u *Upgrade) copy(dir string) error {
	data, sum, err := read(u.Project.Root)
	if err != nil {
		return err
	}
	u.passed = &stamps{file: filepath.Join(dir, "passed.json")}
	if text, err := os.ReadFile(u.passed.file); err == nil {
		_ = json.Unmarshal(text, u.passed) // what does not parse is made anew
	}
	root := filepath.Join(dir, "project")
	if u.passed.Project != sum {
		u.Say("copying the project into %s", root)
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		for name, text := range data {
			mode := fs.FileMode(0o644)
			if info, err := os.Stat(filepath.Join(u.Project.Root, name)); err == nil {
				mode = info.Mode().Perm()
			}
			if err := tree.WriteFile(filepath.Join(root, name), text, mode); err != nil {
				return err
			}
		}
		u.passed.Project, u.passed.Passed = sum, nil
		// With a repository of its own, what asks git there is told of the copy.
		if out, err := exec.Command("git", "init", "-q", root).CombinedOutput(); err != nil {
			return fmt.Errorf("git init: %w: %s", err, out)
		}
	}
	u.scratch, err = project.At(root)
	return err
}

// read reads the project's files, with a hash of all of them.
func read(root string) (data map[string][]byte, sum string, err error) {
	names, err := files(root)
	if err != nil {
		return nil, "", err
	}
	hash := sha256.New()
	data = map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not committed
		}
		if err != nil {
			return nil, "", err
		}
		data[name] = text
		fmt.Fprintf(hash, "%q %x\n", name, sha256.Sum256(text))
	}
	return data, hex.EncodeToString(hash.Sum(nil)), nil
}

// files are the files of the project: those that git tracks, and new ones that it
// does not ignore.
func files(root string) ([]string, error) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("an upgrade needs a clone made with git: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	slices.Sort(names)
	return slices.Compact(names), nil
}

// command runs a command in the scratch copy. What it prints goes into a file, and
// the end of that into the error.
func (u *Upgrade) command(ctx context.Context, args []string) error {
	return u.commandIn(ctx, u.scratch.Root, args)
}

func (u *Upgrade) commandIn(ctx context.Context, dir string, args []string) error {
	name, _, _ := strings.Cut(strings.TrimLeft(args[len(args)-1], "-"), "=")
	log, err := os.Create(filepath.Join(filepath.Dir(u.passed.file), filepath.Base(name)+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	var end tail
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Stdout = dir, io.MultiWriter(log, &end)
	cmd.Stderr = cmd.Stdout
	cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+dir)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w (%s)\n%s", strings.Join(args, " "), err, log.Name(), end.text)
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if n := len(t.text) - 2000; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	return len(p), nil
}
