// Package tool finds the programs that tests and measurements need beside Go.
package tool

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Find returns the path of a program, which a Debian package of the same name
// has. If it is missing and can be installed without asking anybody (by root,
// with apt-get), it is; say is called before.
func Find(ctx context.Context, name string, say func(format string, args ...any)) (string, error) {
	return FindIn(ctx, name, name, say)
}

// FindIn is Find for a program that is in a Debian package of another name.
func FindIn(ctx context.Context, name, pkg string, say func(format string, args ...any)) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	how := fmt.Errorf("%s is not installed: apt-get install %s", name, pkg)
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return "", how
	}
	say("installing %s", pkg)
	out, err := install(ctx, apt, name, pkg)
	if err != nil {
		return "", fmt.Errorf("%w (which failed: %v)\n%s", how, err, out)
	}
	return exec.LookPath(name)
}

// Lock is the file that is locked while apt-get runs, in the folder for temporary files:
// apt-get itself waits for one of its locks only. make tools locks it, too.
const Lock = "fastdrain-apt.lock"

// attempts is how often an installation is tried: another program may have the locks,
// and an archive may be out of reach for a moment. pause is the time before the second
// attempt with a new list, and grows with each.
const attempts = 4

var pause = 5 * time.Second

func install(ctx context.Context, apt, name, pkg string) (out []byte, err error) {
	unlock, err := lockedfile.MutexAt(filepath.Join(os.TempDir(), Lock)).Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, err := exec.LookPath(name); err == nil {
		return nil, nil // who had the lock before has installed it
	}
	run := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, apt, append([]string{"-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3", "-q"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		return cmd.CombinedOutput()
	}
	take := func() ([]byte, error) { return run("install", "-y", "--no-install-recommends", pkg) }
	if out, err = take(); err == nil {
		return out, nil
	}
	for n := range attempts { // the list of packages may be missing, or old
		select {
		case <-time.After(time.Duration(n) * pause):
		case <-ctx.Done():
			return out, context.Cause(ctx)
		}
		if out, err = run("update"); err != nil {
			continue
		}
		if out, err = take(); err == nil || strings.Contains(string(out), "Unable to locate package") {
			break
		}
	}
	return out, err
}
