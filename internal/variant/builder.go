package variant

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

const (
	// Module is the module path that upstream and the patched copy share.
	Module = "github.com/valyala/fasthttp"

	// Tag is the build tag that selects sources which use the patched copy's API.
	Tag = "fastdrain"
)

// Builder builds the programs of a module whose go.mod asks for fasthttp and
// replaces it by the patched copy.
type Builder struct {
	// Root is the module's directory.
	Root string
	// Dir is where generated modfiles go, so it is for one module only. It need
	// not exist.
	Dir string
	// Env is added to the environment of the go command.
	Env []string
	// Tags are build tags beside [Tag].
	Tags []string
}

// Go runs the go command in the module's directory and returns its standard output.
// An error holds what the command wrote to standard error.
func (b Builder) Go(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.Root
	// A workspace around the checkout would bring its own fasthttp.
	cmd.Env = append(append(os.Environ(), "GOWORK=off"), b.Env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return out, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}
