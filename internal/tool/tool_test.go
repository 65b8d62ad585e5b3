//go:build unix

package tool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeApt puts an apt-get before all others that does what the script says, with the
// number of its call in $n.
func fakeApt(t *testing.T, script string) (calls func() int) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("nothing is installed but by root")
	}
	pause = time.Millisecond
	dir := t.TempDir()
	text := "#!/bin/sh\ncd " + dir + "\necho >>calls\nn=$(wc -l <calls)\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, "apt-get"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("TMPDIR", dir)
	return func() int {
		text, _ := os.ReadFile(filepath.Join(dir, "calls"))
		return strings.Count(string(text), "\n")
	}
}

const program = "fastdrain-no-such-program"

func TestInstallationIsTriedAgain(t *testing.T) {
	// Four calls fail: the first installation, and updates.
	calls := fakeApt(t, `[ $n -gt 4 ] || { echo Could not get lock; exit 100; }
case "$*" in *install*) echo '#!/bin/sh' >`+program+`; chmod +x `+program+`;; esac`)
	path, err := Find(t.Context(), program, t.Logf)
	if err != nil || filepath.Base(path) != program {
		t.Errorf("%q, %v after %d calls of apt-get", path, err, calls())
	}
}

func TestInstallationIsGivenUp(t *testing.T) {
	calls := fakeApt(t, "echo Could not get lock; exit 100")
	_, err := Find(t.Context(), program, t.Logf)
	if err == nil || !strings.Contains(err.Error(), "Could not get lock") || calls() != 1+attempts {
		t.Errorf("%v after %d calls of apt-get", err, calls())
	}
}

func TestWhatIsNoPackageIsNotTriedAgain(t *testing.T) {
	calls := fakeApt(t, `case "$*" in *install*) echo E: Unable to locate package; exit 100;; esac`)
	if _, err := Find(t.Context(), program, t.Logf); err == nil || calls() != 3 {
		t.Errorf("%v after %d calls of apt-get", err, calls())
	}
}
