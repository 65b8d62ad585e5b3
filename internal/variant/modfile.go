package variant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// UpstreamModfile writes a go.mod, and its go.sum beside it, that are the
// module's but for the patched copy: fasthttp comes from upstream, in the version
// that the module asks for. It returns the path of the go.mod, for the go command's
// -modfile, and that version.
func (b Builder) UpstreamModfile(ctx context.Context) (path, version string, err error) {
	root, err := readModfile(filepath.Join(b.Root, "go.mod"))
	if err != nil {
		return "", "", err
	}
	version = required(root)
	if version == "" {
		return "", "", fmt.Errorf("%s does not require %s", filepath.Join(b.Root, "go.mod"), Module)
	}
	upstream, err := b.download(ctx, Module+"@"+version)
	if err != nil {
		return "", "", err
	}
	theirs, err := readModfile(upstream.GoMod)
	if err != nil {
		return "", "", err
	}

	if err := root.DropReplace(Module, ""); err != nil {
		return "", "", err
	}
	if err := root.AddRequire(Module, version); err != nil {
		return "", "", err
	}
	// The module's go.mod is written for the patched copy's requirements;
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
	fmt.Fprintf(sums, "%s %s %s\n%s %s/go.mod %s\n", Module, version, upstream.Sum, Module, version, upstream.GoModSum)

	path, err = b.write("upstream", root, sums, filepath.Join(upstream.Dir, "go.sum"))
	return path, version, err
}

// CopyModfile writes a go.mod and go.sum that are the module's, but take
// fasthttp from the patched copy in dir. The files are called NAME.mod and
// NAME.sum. It returns the path of the go.mod, for the go command's -modfile.
func (b Builder) CopyModfile(name, dir string) (path string, err error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	root, err := readModfile(filepath.Join(b.Root, "go.mod"))
	if err != nil {
		return "", err
	}
	if err := root.AddReplace(Module, "", abs, ""); err != nil {
		return "", err
	}
	return b.write(name, root, new(bytes.Buffer), filepath.Join(abs, "go.sum"))
}

// RequiringModfile writes a go.mod and go.sum that are the module's, and ask
// for one more module. What that module requires in turn is up to the go
// command: build with -mod=mod.
func (b Builder) RequiringModfile(name, module, version string) (path string, err error) {
	root, err := readModfile(filepath.Join(b.Root, "go.mod"))
	if err != nil {
		return "", err
	}
	if err := root.AddRequire(module, version); err != nil {
		return "", err
	}
	return b.write(name, root, new(bytes.Buffer))
}

// write writes NAME.mod, and NAME.sum with the sums and those of the module and
// of more files.
func (b Builder) write(name string, file *modfile.File, sums *bytes.Buffer, more ...string) (path string, err error) {
	for _, sum := range append([]string{filepath.Join(b.Root, "go.sum")}, more...) {
		text, err := os.ReadFile(sum)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		sums.Write(text)
		sums.WriteByte('\n')
	}
	file.Cleanup()
	text, err := file.Format()
	if err != nil {
		return "", err
	}
	dir, err := filepath.Abs(b.Dir) // the go command works in another
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, name+".mod")
	if err := tree.WriteFile(path, text, 0o644); err != nil {
		return "", err
	}
	// -modfile takes the sums from the file of the same name in .sum.
	return path, tree.WriteFile(filepath.Join(dir, name+".sum"), sums.Bytes(), 0o644)
}

// required is the version of fasthttp that a go.mod asks for, which is the pinned
// one in all modules of the project.
func required(mod *modfile.File) string {
	for _, req := range mod.Require {
		if req.Mod.Path == Module {
			return req.Mod.Version
		}
	}
	return ""
}

// replaced is the directory that a go.mod takes fasthttp from, as it is written
// there.
func replaced(mod *modfile.File) string {
	for _, rep := range mod.Replace {
		if rep.Old.Path == Module {
			return rep.New.Path
		}
	}
	return ""
}

// module is what `go mod download -json` says about a module.
type module struct {
	Dir, GoMod, Sum, GoModSum, Error string
}

func (b Builder) download(ctx context.Context, at string) (module, error) {
	var m module
	out, err := b.Go(ctx, "mod", "download", "-json", at)
	// It says what went wrong in its output, and then fails.
	if jsonErr := json.Unmarshal(out, &m); jsonErr == nil && m.Error != "" {
		return m, errors.New(m.Error)
	}
	return m, err
}

func readModfile(path string) (*modfile.File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return modfile.Parse(path, text, nil)
}
