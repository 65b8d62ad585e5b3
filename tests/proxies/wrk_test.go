//go:build linux

package proxies

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
)

// wrkScript posts, says of each thousand answers when they had come, in seconds, and at
// the end what wrk counted.
const wrkScript = `
io.stdout:setvbuf("no")
wrk.method = "POST"
wrk.body = string.rep("x", 512)
local answered = 0
function response()
  answered = answered + 1
  if answered % 1000 == 0 then print("under way at " .. os.time()) end
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
	// It is ended by SIGINT, as a stop that is late must find it at work.
	cmd := exec.CommandContext(t.Context(), program, "-t1", fmt.Sprintf("-c%d", clients), "-d"+bound.String(), "--timeout", "20s",
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
	var stopped time.Time
	after, ended := 0, false // thousands of answers since the stop
	for in.Scan() {
		switch line := in.Text(); {
		case strings.HasPrefix(line, "under way at "):
			at, err := strconv.ParseInt(strings.TrimPrefix(line, "under way at "), 10, 64)
			switch {
			case err != nil:
				t.Fatal(err)
			case stopped.IsZero():
				server.takeOver(func() {})
				stopped = time.Now()
			case at > stopped.Unix():
				// With a thousand answers more it knows what became of each connection.
				if after++; after == 2 {
					if err := cmd.Process.Signal(os.Interrupt); err != nil {
						t.Fatal(err)
					}
				}
			}
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
	if err := cmd.Wait(); err != nil || after < 2 || !ended {
		t.Fatalf("wrk: %v; thousands of answers after the stop: %d, counted: %t\n%s", err, after, ended, stderr.Bytes())
	}
	server.stop()
	return requests, errors
}
