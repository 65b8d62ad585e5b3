package adopt

import (
	"crypto/tls"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
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
			p, err := process.Start(t.Context(), process.Command{Path: program})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Kill()
			// The certificate is made at the start and trusted by nobody.
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: bound}
			resp, err := client.Get(scheme + "://" + p.Addr + "/")
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(body) != "hello" {
				t.Errorf("the answer is %q (%v)", body, err)
			}
			if _, err := p.Stop(bound); err != nil {
				t.Fatal(err)
			}
			if p.Exit() != process.ExitClean {
				t.Errorf("the process ended with %s%s", p.Exit(), p.Stderr())
			}
			if !strings.Contains(p.Stderr(), "drain graceful in") {
				t.Errorf("the log has no account of the drain:%s", p.Stderr())
			}
		})
	}
}
