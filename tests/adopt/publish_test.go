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

// repositories is the script command "repositories VERSION": it makes a release of the
// copy in a git repository, a clone of the project (as it is committed) with the tags
// that a release has, and makes git find both where the public ones will be. The go
// command asks git for them, and not a module proxy.
func repositories(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: repositories version")
	}
	version, work := args[0], ts.Getenv("WORK")
	for name, value := range map[string]string{
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
		"GOPRIVATE": path.Dir(project.Module) + "/*",
	} {
		ts.Setenv(name, value)
	}
	gitFinds(ts, map[string]string{
		"https://" + project.ReleaseModule: work + "/fasthttp.git",
		"https://" + project.Module:        work + "/fastdrain.git",
	})
	ts.Check(ts.Exec("git", "init", "-q", "--bare", work+"/fasthttp.git"))
	ts.Check(ts.Exec("fastdrain", "-C", root, "release", "-git", work+"/fasthttp.git", version))
	ts.Check(ts.Exec("git", "clone", "-q", "--bare", root, work+"/fastdrain.git"))
	for _, tag := range []string{version, "metrics/" + version} {
		ts.Check(ts.Exec("git", "--git-dir", work+"/fastdrain.git", "tag", tag))
	}
	useProxy(ts, "")
}

// useProxy puts a module proxy, if it is one, before the others, and makes the module cache empty.
func useProxy(ts *testscript.TestScript, proxy string) {
	cache := filepath.Join(ts.Getenv("WORK"), "modcache")
	if ts.Getenv("GOMODCACHE") == cache {
		return
	}
	proxies := []string{"file://" + ts.Getenv("GOMODCACHE") + "/cache/download", ts.Getenv("GOPROXY")}
	if proxy != "" {
		proxies = append([]string{"file://" + proxy}, proxies...)
	}
	ts.Setenv("GOPROXY", strings.Join(proxies, ","))
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
