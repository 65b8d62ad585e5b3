package tree

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// killEnv says where an update is to be killed: before this file is replaced.
const killEnv = "FASTDRAIN_TEST_KILL_BEFORE"

// TestMain is also the process that is killed: it updates the working directory.
func TestMain(m *testing.M) {
	if at := os.Getenv(killEnv); at != "" {
		_, err := Sync(Plan{Dir: ".", Files: files("a", "2", "b", "2", "c", "2"), Exclusive: true, beforeReplace: func(name string) error {
			if name == at {
				self, err := os.FindProcess(os.Getpid())
				if err == nil {
					err = self.Kill()
				}
				if err != nil {
					return err
				}
				select {} // until it has come
			}
			return nil
		}})
		panic(err)
	}
	os.Exit(m.Run())
}

// A process that is killed leaves a stage, and nothing of it is left after the next
// update, nor after a removal.
func TestNothingIsLeftOfAKilledProcess(t *testing.T) {
	for _, at := range []string{"a", "c"} {
		for _, then := range []string{"update", "remove"} {
			t.Run(at+", "+then, func(t *testing.T) {
				dir := t.TempDir()
				if then == "remove" {
					syncFiles(t, dir, files("a", "1"))
				}
				cmd := exec.Command(os.Args[0])
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), killEnv+"="+at)
				if out, err := cmd.CombinedOutput(); err == nil || strings.Contains(string(out), "panic") {
					t.Fatalf("the process was not killed: %v\n%s", cmd.ProcessState, out)
				}
				if stages, _ := filepath.Glob(filepath.Join(dir, stagePrefix+"*")); len(stages) == 0 {
					t.Fatal("there is no stage, so this proves nothing")
				}
				// What a kill leaves while the note of the update is written.
				if err := os.WriteFile(filepath.Join(dir, ".fastdrain-1.tmp"), nil, 0o644); err != nil {
					t.Fatal(err)
				}
				if then == "update" {
					if _, err := Sync(Plan{Dir: dir, Files: files("a", "2", "b", "2", "c", "2"), Exclusive: true}); err != nil {
						t.Fatal(err)
					}
					wantOnDisk(t, dir, "a", "2", "b", "2", "c", "2")
				} else if _, kept, err := Remove(dir); err != nil || slices.ContainsFunc(kept, func(name string) bool { return strings.HasPrefix(name, ".") }) {
					t.Errorf("kept %q (%v)", kept, err)
				}
			})
		}
	}
}

// Killed before there was a manifest, the folder is still no foreign one.
func TestExclusiveTakesWhatAKilledProcessLeft(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".fastdrain-1.tmp"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Sync(Plan{Dir: dir, Files: files("a", "1"), Exclusive: true}); err != nil {
		t.Fatal(err)
	}
	wantOnDisk(t, dir, "a", "1")
}
