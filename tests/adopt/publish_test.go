package adopt

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/module"

	"github.com/fastdrain/fastdrain/internal/project"
)

// publish is the script command "publish FOLDER VERSION": it writes a module of the
// project, as it is in the working tree, as a version into the module proxy
// $WORK/proxy, and makes the go command take it from there into a module cache that
// is empty. All else comes from the module cache of whoever runs the test.
func publish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: publish folder version")
	}
	folder := path.Clean(args[0])
	files, err := moduleFiles(folder)
	ts.Check(err)
	proxy := filepath.Join(ts.Getenv("WORK"), "proxy")
	_, _, err = project.WriteToProxy(proxy, module.Version{Path: path.Join(project.Module, folder), Version: args[1]}, files)
	ts.Check(err)
	useProxy(ts, proxy)
}

// useProxy puts a module proxy before the others, and makes the module cache empty.
func useProxy(ts *testscript.TestScript, proxy string) {
	cache := filepath.Join(ts.Getenv("WORK"), "modcache")
	if ts.Getenv("GOMODCACHE") == cache {
		return
	}
	ts.Setenv("GOPROXY", strings.Join([]string{"file://" + proxy, "file://" + ts.Getenv("GOMODCACHE") + "/cache/download", ts.Getenv("GOPROXY")}, ","))
	ts.Setenv("GOMODCACHE", cache)
	// What is compiled does not depend on where the module cache is then.
	ts.Setenv("GOFLAGS", strings.TrimSpace(ts.Getenv("GOFLAGS")+" -trimpath"))
	ts.Setenv("GONOSUMDB", path.Dir(project.Module)+"/*")
}

// moduleFiles are the files of the module in a folder of the project, by path: those
// that git tracks or would track, without the modules below it.
func moduleFiles(folder string) (map[string][]byte, error) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".")
	cmd.Dir = filepath.Join(root, folder)
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	below := map[string]bool{}
	for _, name := range names {
		if dir, base := path.Split(name); base == "go.mod" && dir != "" {
			below[dir] = true
		}
	}
	files := map[string][]byte{}
next:
	for _, name := range names {
		for dir := range below {
			if strings.HasPrefix(name, dir) {
				continue next
			}
		}
		data, err := os.ReadFile(filepath.Join(cmd.Dir, name))
		if os.IsNotExist(err) {
			continue // removed, and not committed
		}
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	return files, nil
}
