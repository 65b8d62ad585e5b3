//go:build linux

package proxies

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
)

// wrkScript posts, says when the load is under way, and at the end what wrk
// counted.
const wrkScript = `
io.stdout:setvbuf("no")
wrk.method = "POST"
wrk.body = string.rep("x", 512)
local answered = 0
function response()
  answered = answered + 1
  if answered == 1000 then print("under way") end
end
function done(summary)
  local e = summary.errors
  print(string.format("figures: %d requests, %d connect, %d read, %d write, %d status, %d timeout",
    summary.requests, e.connect, e.read, e.write, e.status, e.timeout))
end
`

// TestWrkThroughARestart lets wrk work through a stop: it counts each connection
// that ends while it waits for a response.
func TestWrkThroughARestart(t *testing.T) {
	program := find(t, "wrk")
	script := filepath.Join(t.TempDir(), "script.lua")
	if err := os.WriteFile(script, []byte(wrkScript), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, v := range variants {
		t.Run(v, func(t *testing.T) {
			path := build(t, v)
			requests, errors, restarts := 0, 0, 0
			for restarts == 0 || v == lab.Upstream && errors == 0 && restarts < mostRestarts {
				n, e := wrkThroughARestart(t, program, script, path)
				requests += n
				errors += e
				restarts++
			}
			t.Logf("%d errors, %d requests in %d restarts", errors, requests, restarts)
			if v == lab.Upstream && errors == 0 {
				t.Error("upstream lost nothing: there was no control")
			}
			if v == lab.Patched && errors > 0 {
				t.Errorf("%d errors", errors)
			}
		})
	}
}

func wrkThroughARestart(t *testing.T, program, script, path string) (requests, errors int) {
	t.Helper()
	server := start(t, path)
	cmd := exec.CommandContext(t.Context(), program, "-t1", fmt.Sprintf("-c%d", clients), "-d3s", "--timeout", "20s",
		"-s", script, "http://"+server.addr()+"/?name=wrk&sleep=1ms")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	stopped, ended := false, false
	for in.Scan() {
		switch line := in.Text(); {
		case line == "under way":
			server.takeOver(func() {})
			stopped = true
		case strings.HasPrefix(line, "figures: "):
			var connect, read, write, status, timeout int
			_, err := fmt.Sscanf(line, "figures: %d requests, %d connect, %d read, %d write, %d status, %d timeout",
				&requests, &connect, &read, &write, &status, &timeout)
			if err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			t.Log(line)
			errors = connect + read + write + status + timeout
			ended = true
		}
	}
	if err := cmd.Wait(); err != nil || !stopped || !ended {
		t.Fatalf("wrk: %v; stopped under load: %t, counted: %t\n%s", err, stopped, ended, stderr.Bytes())
	}
	server.stop()
	return requests, errors
}
