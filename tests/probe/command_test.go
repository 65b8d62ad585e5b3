//go:build linux

package probe

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/probe"
	"github.com/fastdrain/fastdrain/tests/internal/sources"
)

// command builds fastdrain.
func command(t *testing.T) string {
	t.Helper()
	sources.DependOn(t, "../..", "cmd/fastdrain", "internal/probe")
	path := filepath.Join(t.TempDir(), "fastdrain")
	if out, err := exec.Command("go", "build", "-C", "../..", "-o", path, "./cmd/fastdrain").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// lostOnKept is a diagnosis. It is worded otherwise beside that of an end at once, which
// a stop may look like that finds nearly all clients with a request under way.
var lostOnKept = regexp.MustCompile(`lost on (connections that were kept|kept connections)`)

// TestTheCommand wants its exit codes, its files, plain text in a pipe, the first
// figures before the first round has ended, and the report after a Ctrl-C.
func TestTheCommand(t *testing.T) {
	t.Parallel()
	path := command(t)
	closer, _ := fakeServer(t, closes)
	good, _ := fakeServer(t, steady)
	files := filepath.Join(t.TempDir(), "probe")
	probeArgs := func(s probe.Subject, flags ...string) []string {
		return append(append([]string{"probe", "-rounds", "1", "-clients", "busy,pool", "-connections", "30", "-rate", "500"}, flags...), append([]string{"--"}, s.Command...)...)
	}
	run := func(t *testing.T, args []string) (code int, out, progress string) {
		t.Helper()
		cmd := exec.Command(path, args...)
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if strings.ContainsAny(stdout.String()+stderr.String(), "\x1b\r") {
			t.Errorf("there are control characters in what it writes into a pipe")
		}
		return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
	}
	t.Run("lost", func(t *testing.T) {
		t.Parallel()
		code, out, progress := run(t, probeArgs(closer, "-json", files+".json", "-html", files+".html"))
		if code != 1 || !lostOnKept.MatchString(out) {
			t.Errorf("exit code %d:\n%s", code, out)
		}
		first, last := strings.Index(progress, "of load: "), strings.Index(progress, "it took ")
		if first < 0 || last < first {
			t.Errorf("there are no figures before the end of the round:\n%s", progress)
		}
		text, err := os.ReadFile(files + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var results []probe.Result
		if err := json.Unmarshal(text, &results); err != nil {
			t.Fatal(err)
		}
		if len(results) != 1 || results[0].Lost == 0 || len(results[0].Events) != results[0].Lost || len(results[0].Timeline) == 0 {
			t.Errorf("the JSON does not have it: %s", text)
		}
		if html, err := os.ReadFile(files + ".html"); err != nil || !strings.Contains(string(html), "<svg ") {
			t.Errorf("the page does not have it: %v", err)
		}
	})
	t.Run("allowed", func(t *testing.T) {
		t.Parallel()
		if code, out, _ := run(t, probeArgs(closer, "-max-lost", "1000000")); code != 0 {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	t.Run("no file", func(t *testing.T) {
		t.Parallel()
		if code, out, said := run(t, probeArgs(good, "-json", t.TempDir())); code != 2 || out != "" || !strings.Contains(said, "that is a directory") {
			t.Errorf("exit code %d: %s", code, said)
		}
	})
	t.Run("good", func(t *testing.T) {
		t.Parallel()
		if code, out, _ := run(t, probeArgs(good)); code != 0 || !strings.Contains(out, "ok: Nothing was lost") {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	t.Run("side by side", func(t *testing.T) {
		t.Parallel()
		code, out, _ := run(t, probeArgs(good, "-vs", strings.Join(closer.Command, " ")))
		if code != 1 || !strings.Contains(out, "ok: Nothing was lost") || !lostOnKept.MatchString(out) {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	// Under nohup what is started would ignore it, too, if the test did not want it.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangup) })
	for name, leave := range map[string]func(p *os.Process, reader io.Closer){
		"terminal closed": func(p *os.Process, _ io.Closer) { p.Signal(syscall.SIGHUP) },
		"nobody reads":    func(_ *os.Process, reader io.Closer) { reader.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// On a port that nobody else gets when the service has left it.
			service, _ := fakeServer(t, steady)
			service.Command[len(service.Command)-1] = freeAddr(t)
			// It does not end by itself before it is left.
			cmd := exec.Command(path, probeArgs(service, "-rounds", "1000")...)
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stdout = cmd.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer time.AfterFunc(bound, func() { cmd.Process.Kill() }).Stop()
			line, err := bufio.NewReader(stderr).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			addr := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(line)
			leave(cmd.Process, stderr)
			io.Copy(io.Discard, stderr)
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 2 {
				t.Errorf("exit code %d (%v), want 2", code, cmd.ProcessState)
			}
			if c, err := net.Dial("tcp4", addr); err == nil {
				c.Close()
				t.Errorf("the service at %s goes on", addr)
			} else if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Error(err)
			}
		})
	}
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		url := steadyServer(t)
		cmd := exec.Command(path, "probe", "-url", url, "-for", "1h")
		var stdout strings.Builder
		cmd.Stdout = &stdout
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer time.AfterFunc(bound, func() { cmd.Process.Kill() }).Stop()
		buf := make([]byte, 1<<10)
		if _, err := stderr.Read(buf); err != nil { // the first figures
			t.Fatal(err)
		}
		cmd.Process.Signal(syscall.SIGINT)
		for err == nil {
			_, err = stderr.Read(buf)
		}
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(stdout.String(), "| answered ") {
			t.Errorf("exit code %d:\n%s", code, stdout.String())
		}
	})
}
