package vulncheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/fastdrain/fastdrain/internal/stamp"
)

// Govulncheck is the version that is run. Its database is another thing, and
// always the current one.
const Govulncheck = "v1.9.0"

// Database is the variable of the environment that names another database than
// https://vuln.go.dev, as a URL (https:// or file://). Govulncheck itself has a flag
// for it.
const Database = "GOVULNDB"

const tool = "golang.org/x/vuln/cmd/govulncheck"

// foundCode is the exit code with which govulncheck says that it found something.
const foundCode = 3

var (
	// ErrFound says that there are advisories for what the binary calls.
	ErrFound = errors.New("vulnerabilities found")
	// ErrNotPatched says that a binary is not made with a copy: govulncheck
	// itself tells about it.
	ErrNotPatched = errors.New("it is not made with the patched copy: run govulncheck itself (govulncheck -mode binary)")
)

// Scanner is a govulncheck that was made ready.
type Scanner struct {
	dir, tool string
	// Out gets what govulncheck says, Err what it says of errors.
	Out, Err io.Writer
}

// NewScanner has the go command make govulncheck, from the module proxy or the
// module cache. Close removes it.
func NewScanner(ctx context.Context) (*Scanner, error) {
	dir, err := os.MkdirTemp("", "fastdrain-vulncheck-")
	if err != nil {
		return nil, err
	}
	s := &Scanner{dir: dir, Out: os.Stdout, Err: os.Stderr}
	cmd := exec.CommandContext(ctx, "go", "install", tool+"@"+Govulncheck)
	cmd.Dir = dir
	// For this machine, whatever the service is built for.
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH,
		// Services with a vendor folder have -mod=vendor there.
		"GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -mod=mod"), "PWD="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s@%s cannot be had: %w\n%s", tool, Govulncheck, err, bytes.TrimSpace(out))
	}
	s.tool = filepath.Join(dir, "govulncheck")
	if runtime.GOOS == "windows" {
		s.tool += ".exe"
	}
	return s, nil
}

// Close removes what NewScanner has made.
func (s *Scanner) Close() error { return os.RemoveAll(s.dir) }

// Binary scans a binary that is made with the copy of a module. The error is
// [ErrFound] if there is an advisory for something that it holds.
func (s *Scanner) Binary(ctx context.Context, file, module string) (version string, err error) {
	mark, _, err := stamp.Scan(file)
	if err != nil {
		return "", err
	}
	if mark == nil {
		return "", ErrNotPatched
	}
	upstream, version, _ := strings.Cut(mark.Upstream, "@")
	if upstream != module {
		return "", fmt.Errorf("it is made with a copy of %s, and not of %s", upstream, module)
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	var blob, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, s.tool, "-mode", "extract", abs)
	cmd.Stdout, cmd.Stderr = &blob, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("govulncheck -mode extract: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	text, err := rewrite(blob.Bytes(), module, version)
	if err != nil {
		return "", err
	}
	rewritten := filepath.Join(s.dir, "blob.json")
	if err := os.WriteFile(rewritten, text, 0o600); err != nil {
		return "", err
	}
	args := []string{"-mode", "binary"}
	if db := os.Getenv(Database); db != "" {
		args = append(args, "-db", db)
	}
	cmd = exec.CommandContext(ctx, s.tool, append(args, rewritten)...)
	cmd.Stdout, cmd.Stderr = s.Out, s.Err
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == foundCode:
		return version, ErrFound
	case err != nil:
		return version, fmt.Errorf("govulncheck -mode binary: %w", err)
	}
	return version, nil
}
