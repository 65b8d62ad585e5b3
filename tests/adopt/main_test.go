package adopt

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/tests/internal/consumer"
)

// bin is a folder with the command, as bin/ of a clone.
var bin string

// command is the command in it.
var command string

// root is the project.
var root string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if err := setup(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(bin)
		return m.Run()
	}())
}

func setup() (err error) {
	if root, err = filepath.Abs("../.."); err != nil {
		return err
	}
	if bin, err = consumer.BuildCommand(root); err != nil {
		return err
	}
	command = filepath.Join(bin, "fastdrain")
	return nil
}

// script runs a script in an empty folder, with an app as the service in
// home/my-service if there is one, and with more variables of the environment.
func script(t *testing.T, file, app string, vars ...string) {
	t.Helper()
	goEnv := map[string]string{}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOFLAGS"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		goEnv[name] = strings.TrimSpace(string(out))
	}
	testscript.Run(t, testscript.Params{
		Files:               []string{filepath.Join("testdata", file)},
		RequireExplicitExec: true,
		Deadline:            time.Now().Add(8 * time.Minute),
		Setup: func(env *testscript.Env) error {
			for name, value := range goEnv {
				env.Setenv(name, value)
			}
			env.Setenv("GOTOOLCHAIN", "local")
			env.Setenv("GOWORK", "") // a module of its own, wherever the folder is
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("ROOT", root)
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			for _, v := range vars {
				name, value, _ := strings.Cut(v, "=")
				env.Setenv(name, value)
			}
			if app == "" {
				return nil
			}
			return os.CopyFS(filepath.Join(env.WorkDir, "home", "my-service"), os.DirFS(filepath.Join("testdata", "apps", app)))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"loses":   loses,
			"readme":  readme,
			"publish": publish,

			"repositories": repositories,
		},
	})
}

// scenarios are those of the lab in which upstream loses most, a few stops each.
var scenarios = map[string]int{"keepalive": 3, "pipeline": 3}

// loses is the script command "loses PROGRAM".
func loses(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: loses program")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	lost, executed := 0, 0
	for name, rounds := range scenarios {
		r, err := lab.StopProgram(ctx, ts.MkAbs(args[0]), name, rounds)
		ts.Check(err)
		ts.Logf("%s, %s: %d stops: %d requests, %d lost, %d of them executed; exit %s, median stop %.3f s",
			args[0], name, r.Stops, r.Requests, r.Lost, r.ExecutedUnanswered, r.Exit, r.Shutdown.Median)
		lost += r.Lost
		executed += r.ExecutedUnanswered
		if neg && r.Exit != "0" {
			ts.Fatalf("%s: the program exits with %s", name, r.Exit)
		}
	}
	if neg && lost+executed > 0 {
		ts.Fatalf("%d requests were lost, %d executed and not answered", lost, executed)
	}
	if !neg && lost == 0 {
		ts.Fatalf("no request was lost, so a run without loss proves nothing")
	}
}
