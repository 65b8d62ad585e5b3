package consumer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// commandTime bounds a command that may download modules and compile.
const commandTime = 5 * time.Minute

// BuildCommand builds fastdrain into a new folder of the project, as bin/ is one, so
// that the command finds its project by itself. The caller removes the folder.
func BuildCommand(root string) (folder string, err error) {
	build, err := filepath.Abs(filepath.Join(root, "build"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(build, 0o755); err != nil {
		return "", err
	}
	if folder, err = os.MkdirTemp(build, "command-"); err != nil {
		return "", err
	}
	if _, err := Run(root, "go", "build", "-o", filepath.Join(folder, "fastdrain"), "./cmd/fastdrain"); err != nil {
		os.RemoveAll(folder)
		return "", err
	}
	return folder, nil
}

// moduleTrouble is in what the go command says when it cannot have a module.
var moduleTrouble = regexp.MustCompile(`(?i)GOPROXY|dial tcp|no such host|i/o timeout|Forbidden|unrecognized import path`)

// Run runs a command in dir and returns its output. GOWORK=off: a consumer's
// module is in no workspace of ours.
func Run(dir, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+dir)
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err == nil {
		return string(out), nil
	}
	err = fmt.Errorf("%s %s in %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), dir, err, out)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("not done after %s: %w", commandTime, err)
	case name == "go" && moduleTrouble.Match(out):
		err = fmt.Errorf("%w\nThis test needs a module proxy (see go env GOPROXY), or a module cache that holds what it asks for", err)
	}
	return "", err
}
