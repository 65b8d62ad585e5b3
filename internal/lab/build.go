package lab

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

const (
	fasthttp = "github.com/valyala/fasthttp"
	brrr     = "github.com/molecule-man/go-brrr"

	// drainTag selects the sources that use the patched copy's API.
	drainTag = "fastdrain"
)

// builder builds the servers of a project's checkout.
type builder struct {
	root string // of the project
	dir  string // where the binaries go
}

func newBuilder(root string) builder {
	return builder{root: root, dir: filepath.Join(root, "bin", "lab")}
}

// build builds a variant's server and returns the path of its binary. It fails
// if the binary does not contain the fasthttp that the variant stands for.
func (b builder) build(ctx context.Context, variant string) (path string, err error) {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return "", err
	}
	var args []string
	var version string
	pkg := "./examples/hello"
	switch variant {
	case Upstream:
		mod, v, err := b.upstreamModfile(ctx)
		if err != nil {
			return "", fmt.Errorf("a go.mod for upstream's fasthttp: %w", err)
		}
		version = v
		args = []string{"-modfile", mod}
	case Patched:
		if _, err := os.Stat(filepath.Join(b.root, "server", "server.go")); errors.Is(err, fs.ErrNotExist) {
			return "", errors.New("the patched copy is not there (server/server.go is missing): run `make server` first")
		}
		args = []string{"-tags", drainTag}
	case NetHTTP:
		pkg = "./examples/nethttp"
	default:
		return "", fmt.Errorf("no such variant: %s", variant)
	}
	path = filepath.Join(b.dir, variant)
	args = append(append([]string{"build", "-o", path}, args...), pkg)
	if _, err := b.goCommand(ctx, args...); err != nil {
		return "", err
	}
	if err := verify(path, variant, version); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return path, nil
}

// verify checks that the binary contains what the variant stands for.
func verify(path, variant, upstreamVersion string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	contents := "no fasthttp"
	for _, dep := range info.Deps {
		if dep.Path != fasthttp {
			continue
		}
		contents = fasthttp + " " + dep.Version
		if dep.Replace != nil {
			contents += " => " + dep.Replace.Path
		}
	}
	tagged := false
	for _, s := range info.Settings {
		if s.Key == "-tags" && slices.Contains(strings.Split(s.Value, ","), drainTag) {
			tagged = true
		}
	}
	ok := false
	switch variant {
	case Upstream:
		ok = contents == fasthttp+" "+upstreamVersion && !tagged
	case Patched:
		ok = strings.HasPrefix(contents, fasthttp+" ") && strings.HasSuffix(contents, " => ./server") && tagged
	case NetHTTP:
		ok = contents == "no fasthttp"
	}
	if !ok {
		return fmt.Errorf("built as %q, but contains %s (build tag %s: %t)", variant, contents, drainTag, tagged)
	}
	return nil
}

// upstreamModfile writes a go.mod, and its go.sum beside it, that are the
// project's but for the patched copy: fasthttp comes from upstream, in the
// pinned version. It returns the path of the go.mod and that version.
func (b builder) upstreamModfile(ctx context.Context) (path, version string, err error) {
	root, err := readModfile(filepath.Join(b.root, "go.mod"))
	if err != nil {
		return "", "", err
	}
	version, err = b.pinnedVersion(root)
	if err != nil {
		return "", "", err
	}
	upstream, err := b.download(ctx, fasthttp+"@"+version)
	if err != nil {
		return "", "", err
	}
	theirs, err := readModfile(upstream.GoMod)
	if err != nil {
		return "", "", err
	}

	if err := root.DropReplace(fasthttp, ""); err != nil {
		return "", "", err
	}
	if err := root.AddRequire(fasthttp, version); err != nil {
		return "", "", err
	}
	// The project's go.mod is written for the patched copy's requirements;
	// upstream's may be higher, and the go command insists on seeing them.
	for _, req := range theirs.Require {
		have := ""
		for _, mine := range root.Require {
			if mine.Mod.Path == req.Mod.Path {
				have = mine.Mod.Version
			}
		}
		if have == "" || semver.Compare(have, req.Mod.Version) < 0 {
			if err := root.AddRequire(req.Mod.Path, req.Mod.Version); err != nil {
				return "", "", err
			}
		}
	}
	sums := new(bytes.Buffer)
	fmt.Fprintf(sums, "%s %s %s\n%s %s/go.mod %s\n", fasthttp, version, upstream.Sum, fasthttp, version, upstream.GoModSum)

	// Upstream asks for a version of go-brrr that cannot be downloaded
	// everywhere. Both servers take the one that the patched copy takes.
	ours, err := readModfile(filepath.Join(b.root, "server", "go.mod"))
	if err != nil {
		return "", "", err
	}
	for _, req := range ours.Require {
		if req.Mod.Path == brrr {
			if err := root.AddReplace(brrr, "", brrr, req.Mod.Version); err != nil {
				return "", "", err
			}
		}
	}
	for _, file := range []string{
		filepath.Join(b.root, "go.sum"),
		filepath.Join(b.root, "server", "go.sum"),
		filepath.Join(upstream.Dir, "go.sum"),
	} {
		more, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", "", err
		}
		sums.Write(more)
		sums.WriteByte('\n')
	}

	root.Cleanup()
	text, err := root.Format()
	if err != nil {
		return "", "", err
	}
	path = filepath.Join(b.dir, "upstream.mod")
	if err := writeFile(path, text); err != nil {
		return "", "", err
	}
	// -modfile takes the sums from the file of the same name in .sum.
	if err := writeFile(filepath.Join(b.dir, "upstream.sum"), sums.Bytes()); err != nil {
		return "", "", err
	}
	return path, version, nil
}

// pinnedVersion returns the version of upstream that the patched copy is made
// from.
func (b builder) pinnedVersion(root *modfile.File) (string, error) {
	path := filepath.Join(b.root, "server", "pin.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		for _, req := range root.Require {
			if req.Mod.Path == fasthttp {
				return req.Mod.Version, nil
			}
		}
		return "", fmt.Errorf("there is no %s, and go.mod does not require %s", path, fasthttp)
	}
	if err != nil {
		return "", err
	}
	var pin struct{ Module, Version string }
	if err := json.Unmarshal(text, &pin); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if pin.Module != fasthttp || !semver.IsValid(pin.Version) {
		return "", fmt.Errorf("%s: pins %q at %q, and not a version of %s", path, pin.Module, pin.Version, fasthttp)
	}
	return pin.Version, nil
}

// module is what `go mod download -json` says about a module.
type module struct {
	Dir, GoMod, Sum, GoModSum, Error string
}

func (b builder) download(ctx context.Context, at string) (module, error) {
	var m module
	out, err := b.goCommand(ctx, "mod", "download", "-json", at)
	// It says what went wrong in its output, and then fails.
	if jsonErr := json.Unmarshal(out, &m); jsonErr == nil && m.Error != "" {
		return m, errors.New(m.Error)
	}
	return m, err
}

// goCommand runs the go command in the project's root and returns its standard
// output.
func (b builder) goCommand(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.root
	// A workspace around the checkout would bring its own fasthttp.
	cmd.Env = append(os.Environ(), "GOWORK=off")
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

func readModfile(path string) (*modfile.File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return modfile.Parse(path, text, nil)
}

// writeFile writes a file so that it is complete or not there.
func writeFile(path string, text []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	if _, err := tmp.Write(text); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
