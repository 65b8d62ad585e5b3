package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A service is deployed on another platform than it is looked at.
func TestPlatforms(t *testing.T) {
	for _, platform := range []string{"linux/amd64 -buildmode=pie", "linux/arm64", "darwin/arm64", "windows/amd64", "linux/riscv64"} {
		t.Run(platform, func(t *testing.T) {
			target, mode, _ := strings.Cut(platform, " ")
			goos, goarch, _ := strings.Cut(target, "/")
			dir := t.TempDir()
			args := []string{"build", "-ldflags=-s -w", "-o", dir + string(filepath.Separator)}
			if mode != "" {
				args = append(args, mode)
			}
			cmd := exec.Command("go", append(args, "./router", "./interrupt", "./fiber")...)
			cmd.Dir = service
			cmd.Env = append(os.Environ(), "GOWORK=", "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			exe := ""
			if goos == "windows" {
				exe = ".exe"
			}
			fails(t, service, []string{"doctor", filepath.Join(dir, "fiber"+exe)}, "nothing in it asks for a signal")
			if goarch == "riscv64" {
				// What cannot be read is said, and is no failure.
				passes(t, service, []string{"doctor", filepath.Join(dir, "interrupt"+exe)}, "unknown:  whether it asks for SIGTERM: its processor is not known")
				return
			}
			fails(t, service, []string{"doctor", filepath.Join(dir, "interrupt"+exe)}, "nothing in it asks for SIGTERM")
			passes(t, service, []string{"doctor", filepath.Join(dir, "router"+exe)}, "SIGINT, SIGTERM in main.main\n")
		})
	}
}
