package upstream

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing/fstest"

	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
)

// Module is a downloaded version of a module.
type Module struct {
	Path, Version string
	// Sum is the hash of the module's files, as go.sum has it: "h1:...".
	Sum string
	zip string
}

// UnavailableError says that a version cannot be downloaded.
type UnavailableError struct {
	Path, Version string
	// Msg is what the go command said.
	Msg string
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%s@%s is not available: %s", e.Path, e.Version, e.Msg)
}

// SumError says that the files of a version are not the expected ones.
type SumError struct {
	Path, Version string
	Want, Have    string
}

func (e *SumError) Error() string {
	return fmt.Sprintf("%s@%s has the hash %s, but the pin says %s: "+
		"do not use it before you know which of the two is right "+
		"(try: go clean -modcache; then once more)", e.Path, e.Version, e.Have, e.Want)
}

// Download has the go command put a version into the module cache, if it is not
// there, and returns it. version may also be a query such as "latest".
//
// If sum is not empty, the files must have that hash, or the error is a
// [SumError]; the checksum database is then not asked, so that a version that
// the cache holds is had without a network. With an empty sum the go command
// checks the version as it always does. An [UnavailableError] is returned for a
// version that cannot be had.
func Download(ctx context.Context, path, version, sum string) (*Module, error) {
	// In a module of its own, so that no replace line and no go.sum of the
	// module around us has a say.
	dir, err := os.MkdirTemp("", "fastdrain-download-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module download.invalid\n\ngo 1.24\n"), 0o666); err != nil {
		return nil, err
	}
	cmd := goCommand(ctx, dir, "mod", "download", "-json", path+"@"+version)
	if sum != "" {
		cmd.Env = append(cmd.Env, "GONOSUMDB="+joinList(os.Getenv("GONOSUMDB"), path))
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run()
	if errors.Is(runErr, exec.ErrNotFound) {
		return nil, fmt.Errorf("the go command is needed to download %s: %w", path, runErr)
	}
	var info struct{ Version, Zip, Sum, Error string }
	if err := json.Unmarshal(stdout.Bytes(), &info); err != nil || info.Error != "" || runErr != nil {
		msg := info.Error
		if msg == "" {
			msg = strings.TrimSpace(stderr.String())
		}
		if msg == "" && runErr != nil {
			msg = runErr.Error()
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &UnavailableError{path, version, shorten(msg, path+"@"+version)}
	}
	have, err := dirhash.HashZip(info.Zip, dirhash.Hash1)
	if err != nil {
		return nil, fmt.Errorf("%s@%s in the module cache: %w", path, info.Version, err)
	}
	want := sum
	if want == "" {
		want = info.Sum // computed at the download, and checked by the go command
	}
	if have != want {
		return nil, &SumError{path, info.Version, want, have}
	}
	return &Module{Path: path, Version: info.Version, Sum: have, zip: info.Zip}, nil
}

// Versions are the released versions of a module that the proxy knows, oldest
// first. The network is needed.
func Versions(ctx context.Context, path string) ([]string, error) {
	dir, err := os.MkdirTemp("", "fastdrain-versions-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module versions.invalid\n\ngo 1.24\n"), 0o666); err != nil {
		return nil, err
	}
	cmd := goCommand(ctx, dir, "list", "-m", "-versions", "-json", path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the versions of %s: %w: %s", path, err, strings.TrimSpace(stderr.String()))
	}
	var info struct{ Versions []string }
	if err := json.Unmarshal(out, &info); err != nil {
		return nil, fmt.Errorf("the versions of %s: %w", path, err)
	}
	semver.Sort(info.Versions)
	return info.Versions, nil
}

// Files are the files of the module by path, all in memory. Files and folders
// whose names begin with a dot are left out: they configure the tools of those
// who develop upstream, and a .gitignore of theirs would change what git sees.
func (m *Module) Files() (fstest.MapFS, error) {
	z, err := zip.OpenReader(m.zip)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	prefix := m.Path + "@" + m.Version + "/"
	files := fstest.MapFS{}
	for _, f := range z.File {
		name, ok := strings.CutPrefix(f.Name, prefix)
		if !ok || name == "" || strings.HasSuffix(name, "/") || hidden(name) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", m.zip, name, err)
		}
		files[name] = &fstest.MapFile{Data: data, Mode: 0o444}
	}
	return files, nil
}

func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}

// goCommand runs the go command in dir as in a module of its own.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GO111MODULE=on", "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -mod=mod"), "PWD="+dir)
	return cmd
}

func joinList(list, more string) string {
	if list == "" {
		// The default of GONOSUMDB is GOPRIVATE, and setting it hides that.
		list = os.Getenv("GOPRIVATE")
	}
	if list == "" {
		return more
	}
	return list + "," + more
}

// shorten makes one line of what the go command says, without the name that
// every line of it repeats.
func shorten(msg, name string) string {
	msg = strings.TrimPrefix(msg, "go: ")
	msg = strings.TrimPrefix(msg, name+": ")
	return strings.Join(strings.Fields(msg), " ")
}
