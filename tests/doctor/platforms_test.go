package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fastdrain/fastdrain/internal/signals"
)

// A service is deployed on another platform than it is looked at. The program is
// one of the standard library alone, which is compiled for each of them.
func TestPlatforms(t *testing.T) {
	for _, platform := range []string{"linux/amd64 -buildmode=pie", "linux/arm64", "darwin/arm64", "windows/amd64", "linux/riscv64"} {
		t.Run(platform, func(t *testing.T) {
			target, mode, _ := strings.Cut(platform, " ")
			goos, goarch, _ := strings.Cut(target, "/")
			file := filepath.Join(t.TempDir(), "asks")
			args := []string{"build", "-ldflags=-s -w", "-o", file}
			if mode != "" {
				args = append(args, mode)
			}
			cmd := exec.Command("go", append(args, "./testdata/asks")...)
			cmd.Dir = "../../internal/signals"
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			a, err := signals.Find(file)
			if err != nil {
				t.Fatal(err)
			}
			if !a.Linked {
				t.Error("signal.Notify is not found")
			}
			if goarch == "riscv64" {
				if a.Unread == "" || a.Certain() {
					t.Errorf("a processor that is not known: %+v", a)
				}
				return
			}
			by := map[string]signals.Ask{}
			for _, k := range a.Asks {
				by[k.Func] = k
			}
			for name, want := range map[string][]syscall.Signal{
				"main.both": {2, 15}, "main.interrupt": {2}, "main.ofVariable": {15, 1}, "main.inContext": {2, 15}, "main.useOuter": {3, 15},
			} {
				have := by[name]
				if len(have.Signals) != len(want) || have.Unknown || have.All {
					t.Errorf("%s: %+v, want %v", name, have, want)
					continue
				}
				for i := range want {
					if have.Signals[i] != want[i] {
						t.Errorf("%s: %+v, want %v", name, have, want)
					}
				}
			}
			if !by["main.either"].Unknown || !by["main.grown"].Unknown || !by["main.all"].All {
				t.Errorf("%+v", a.Asks)
			}
		})
	}
}
