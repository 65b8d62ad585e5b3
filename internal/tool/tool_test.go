//go:build linux

package tool

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fakeApt puts an apt-get before all others that does what the script says, in a folder
// of its own, which is the one for temporary files, too.
func fakeApt(t *testing.T, script string) (dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("nothing is installed but by root")
	}
	dir = t.TempDir()
	text := "#!/bin/sh\ncd " + dir + "\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, "apt-get"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("TMPDIR", dir)
	return dir
}

const program = "fastdrain-no-such-program"

// It fails beside another one, as apt-get does that cannot lock its lists.
func TestOneInstallationAtATime(t *testing.T) {
	fakeApt(t, `mkdir running || { echo Could not get lock; exit 100; }
sleep 0.1
echo '#!/bin/sh' >`+program+`; chmod +x `+program+`
rmdir running`)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := Find(t.Context(), program, t.Logf); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestInstallationEndsWithItsContext(t *testing.T) {
	dir := fakeApt(t, "exit 100")
	holder := exec.Command("flock", "-F", filepath.Join(dir, "fastdrain-apt.lock"), "sh", "-c", "echo held; exec sleep 60")
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = holder.Process.Kill()
		_ = holder.Wait()
	}()
	if _, err := out.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := Find(ctx, program, t.Logf); err == nil || time.Since(begin) > 30*time.Second {
		t.Errorf("%v after %v, with another installation under way", err, time.Since(begin))
	}
}

// What is ended is the installation, and not only what waits for it.
func TestContextEndsTheInstallation(t *testing.T) {
	dir := fakeApt(t, `echo $$ >started.part; mv started.part started; exec sleep 60`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := Find(ctx, program, t.Logf)
		ended <- err
	}()
	var text []byte
	for begin := time.Now(); len(text) == 0 && time.Since(begin) < 30*time.Second; time.Sleep(time.Millisecond) {
		text, _ = os.ReadFile(filepath.Join(dir, "started"))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("no error of an installation that was ended")
	}
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		t.Errorf("the installation goes on: %v", err)
	}
}
