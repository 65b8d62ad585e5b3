package adopt

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bound is for what hangs.
const bound = 30 * time.Second

// The examples that no other test starts answer, and end well after SIGTERM.
func TestExamplesStopOnSIGTERM(t *testing.T) {
	for dir, scheme := range map[string]string{"tls": "https", "fiber": "http"} {
		t.Run(dir, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), dir)
			build := exec.Command("go", "build", "-o", program, ".")
			build.Dir = filepath.Join(root, "examples", dir)
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			cmd := exec.Command(program, "-addr", "127.0.0.1:0")
			var stderr strings.Builder
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Process.Kill()
			kill := time.AfterFunc(bound, func() { cmd.Process.Kill() })
			defer kill.Stop()

			line, err := bufio.NewReader(stdout).ReadString('\n')
			if err != nil {
				t.Fatalf("no line of output: %v\n%s", err, &stderr)
			}
			addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
			if !ok {
				t.Fatalf("the first line is %q", line)
			}
			// The certificate is made at the start and trusted by nobody.
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: bound}
			resp, err := client.Get(scheme + "://" + addr + "/")
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(body) != "hello" {
				t.Errorf("the answer is %q (%v)", body, err)
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("the process ended with %v\n%s", err, &stderr)
			}
			if log := stderr.String(); !strings.Contains(log, "drain graceful in") {
				t.Errorf("the log has no account of the drain:\n%s", log)
			}
		})
	}
}
