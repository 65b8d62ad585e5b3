// Package tool finds the programs that tests and measurements need beside Go.
package tool

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	// apt-get waits for one of its locks only, so one at a time: make tools takes the
	// same lock. flock(1) is on every Debian; with -F what ctx ends is apt-get itself.
	lock := filepath.Join(os.TempDir(), "fastdrain-apt.lock")
	run := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, "flock", append([]string{"-F", lock, apt, "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3", "-q"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		return cmd.CombinedOutput()
	}
	out, err := run("install", "-y", "--no-install-recommends", pkg)
	if err != nil { // the list of packages may be missing, or old
		if out, err = run("update"); err == nil {
			out, err = run("install", "-y", "--no-install-recommends", pkg)
		}
	}
	if err != nil {
		return "", fmt.Errorf("%w (which failed: %v)\n%s", how, err, out)
	}
	return exec.LookPath(name)
}
