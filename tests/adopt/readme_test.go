package adopt

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fastdrain/fastdrain/internal/project"
)

// A stranger types what README.md says, in a home of his own: from the clone to
// "lost 0", and then in the directory of his service.
func TestReadmeLeadsFromTheCloneToAPatchedService(t *testing.T) {
	script(t, "readme.txtar", "router")
}

// shellBlock is a fenced block of shell commands.
var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// readme is the script command "readme HEADING": it runs the first block of
// shell commands below a heading of README.md in the current directory, as bash
// does that stops at the first error. The repository that they clone is this one,
// as it is committed.
func readme(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: readme heading")
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	ts.Check(err)
	_, below, ok := strings.Cut(string(text), "# "+args[0]+"\n")
	if !ok {
		ts.Fatalf("README.md has no heading %q", args[0])
	}
	below, _, _ = strings.Cut(below, "\n## ")
	block := shellBlock.FindStringSubmatch(below)
	if block == nil {
		ts.Fatalf("there are no commands below %q in README.md", args[0])
	}
	ts.Logf("%s", block[1])
	cmd := exec.Command("bash", "-euc", block[1])
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOFLAGS", "GOTOOLCHAIN", "GOPRIVATE", "TMPDIR"} {
		if v := ts.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	if ts.Getenv("GIT_CONFIG_COUNT") == "" {
		gitFinds(ts, map[string]string{"https://" + project.Module: root})
	}
	for n := range gitSettings {
		for _, name := range []string{"GIT_CONFIG_COUNT", fmt.Sprintf("GIT_CONFIG_KEY_%d", n), fmt.Sprintf("GIT_CONFIG_VALUE_%d", n)} {
			if v := ts.Getenv(name); v != "" {
				cmd.Env = append(cmd.Env, name+"="+v)
			}
		}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	ts.Logf("%s", &out)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("readme.out"), out.Bytes(), 0o644))
}

// gitSettings is how many settings of git gitFinds makes at most.
const gitSettings = 3

// gitFinds makes git find repositories in directories.
func gitFinds(ts *testscript.TestScript, at map[string]string) {
	n := 0
	set := func(key, value string) {
		ts.Setenv(fmt.Sprintf("GIT_CONFIG_KEY_%d", n), key)
		ts.Setenv(fmt.Sprintf("GIT_CONFIG_VALUE_%d", n), value)
		n++
	}
	set("safe.directory", "*")
	for url, dir := range at {
		set("url."+dir+".insteadOf", url)
	}
	ts.Setenv("GIT_CONFIG_COUNT", strconv.Itoa(n))
}
