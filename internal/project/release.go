package project

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// ReleaseModule is the path that releases have if no other is given: with it
// the line in a go.mod says whose fasthttp it is.
const ReleaseModule = "github.com/fastdrain/fasthttp"

// Released says what Release wrote.
type Released struct {
	Module  module.Version
	Replace string // the line of a go.mod that takes the release
	Sum     string // of the zip, as go.sum has it
	Patches int
	// Files are the paths below the directory; Written says that the release
	// was not there already.
	Files   []string
	Written bool
}

// Release writes the patched copy of the pinned version as a version of a module
// into a directory with the layout of a module proxy (go help goproxy): what
// file://DIR as GOPROXY and every module proxy serves. The copy's go.mod keeps
// upstream's path, which is what a replace line asks of its target.
//
// The same sources make the same bytes. A version that is there with other
// content is an error, as others may have its hash in their go.sum.
func (p *Project) Release(ctx context.Context, dir, path, version string) (*Released, error) {
	r := &Released{Module: module.Version{Path: path, Version: version}}
	if err := module.CheckPath(path); err != nil {
		return nil, fmt.Errorf("%w: give a path such as %s", err, ReleaseModule)
	}
	if err := p.checkReleaseVersion(version); err != nil {
		return nil, err
	}
	c, set, err := p.completeCopy(ctx, "")
	if err != nil {
		return nil, err
	}
	r.Patches = len(set.Patches)
	r.Replace = fmt.Sprintf("replace %s => %s %s", c.Upstream.Path, path, version)

	r.Files, r.Written, err = WriteToProxy(dir, r.Module, c.Files)
	if err != nil {
		return nil, err
	}
	at := filepath.Dir(filepath.FromSlash(r.Files[0]))
	r.Sum, err = dirhash.HashZip(filepath.Join(at, version+".zip"), dirhash.Hash1)
	return r, err
}

// WriteToProxy writes a version of a module, with these files, into a directory with
// the layout of a module proxy. It returns the paths of what it wrote, and whether
// the version was not there already; one that is there with other content is an
// error.
func WriteToProxy(dir string, m module.Version, content map[string][]byte) (names []string, written bool, err error) {
	var zipped bytes.Buffer
	var files []modzip.File
	for name, data := range content {
		files = append(files, memFile{name, data})
	}
	slices.SortFunc(files, func(a, b modzip.File) int { return strings.Compare(a.Path(), b.Path()) })
	if err := modzip.Create(&zipped, m, files); err != nil {
		return nil, false, fmt.Errorf("the module zip: %w", err)
	}
	info, err := json.Marshal(map[string]string{"Version": m.Version})
	if err != nil {
		return nil, false, err
	}
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return nil, false, err
	}
	at := filepath.Join(dir, filepath.FromSlash(escaped), "@v")
	for _, f := range []memFile{
		// The zip comes last: who sees it sees the rest.
		{m.Version + ".mod", content["go.mod"]},
		{m.Version + ".info", append(info, '\n')},
		{m.Version + ".zip", zipped.Bytes()},
	} {
		file := filepath.Join(at, f.name)
		names = append(names, filepath.ToSlash(file))
		switch have, err := os.ReadFile(file); {
		case errors.Is(err, fs.ErrNotExist):
			if err := tree.WriteFile(file, f.data, 0o644); err != nil {
				return nil, false, err
			}
			written = true
		case err != nil:
			return nil, false, err
		case !bytes.Equal(have, f.data):
			return nil, false, fmt.Errorf("%s is there with other content, and a version must never change: release the next version, or remove the file if nobody has it yet", file)
		}
	}
	return names, written, addToList(filepath.Join(at, "list"), m.Version)
}

// addToList enters a version into the list of a module's versions.
func addToList(file, version string) error {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	versions := strings.Fields(string(text))
	if slices.Contains(versions, version) {
		return nil
	}
	versions = append(versions, version)
	semver.Sort(versions)
	return tree.WriteFile(file, []byte(strings.Join(versions, "\n")+"\n"), 0o644)
}

// memFile is a file of a module zip that is in memory.
type memFile struct {
	name string
	data []byte
}

func (f memFile) Path() string                 { return f.name }
func (f memFile) Lstat() (os.FileInfo, error)  { return f, nil }
func (f memFile) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.data)), nil }
func (f memFile) Name() string                 { return filepath.Base(f.name) }
func (f memFile) Size() int64                  { return int64(len(f.data)) }
func (f memFile) Mode() fs.FileMode            { return 0o644 }
func (f memFile) ModTime() time.Time           { return time.Time{} }
func (f memFile) IsDir() bool                  { return false }
func (f memFile) Sys() any                     { return nil }
