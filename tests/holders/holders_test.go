package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// bound is for what hangs.
const bound = 30 * time.Second

// wants is, for each path, what Holders says: where it waits, beside the function of
// the application that is nearest to the server.
var wants = map[string]string{
	"/lock":    "sync.(*Mutex).Lock",
	"/channel": "main.channel",
	"/sleep":   "time.Sleep",
	"/query":   "net.(*netFD).Read",
	"/writer":  "chan receive",
}

// Holders names the functions that hang, whatever stands between them and the
// server, also in a binary without symbols; and the log of a stop does.
func TestHoldersNamesTheCulprits(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "service")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, kind := range []string{"plain", "router", "fiber"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			testCulprits(t, bin, kind)
		})
	}
}

func testCulprits(t *testing.T, bin, kind string) {
	cmd := exec.Command(bin, "-kind", kind)
	var log strings.Builder
	cmd.Stderr = &log
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(bound, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	lines := bufio.NewReader(out)
	addr, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(bound / 2)
	for path := range wants {
		for range len(path) { // a number of its own for each
			c, err := net.Dial("tcp4", strings.TrimSpace(addr))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	var holders []fasthttp.Holder
	for missing := true; missing; {
		if _, err := io.WriteString(in, "\n"); err != nil {
			t.Fatal(err, log.String())
		}
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatal(err, log.String())
		}
		holders = nil
		if err := json.Unmarshal(line, &holders); err != nil {
			t.Fatal(err)
		}
		missing = false
		for path, waits := range wants {
			missing = missing || !slices.ContainsFunc(holders, func(h fasthttp.Holder) bool {
				return strings.HasPrefix(h.Function, "main.") && strings.HasSuffix(h.File, "/main.go") && h.Line > 0 &&
					h.Goroutines == len(path) && h.Waits == waits
			})
		}
		if missing && time.Now().After(end) {
			t.Fatalf("holders: %v, want %v, as many as their paths have bytes", holders, wants)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	text := log.String()
	for _, h := range holders {
		if strings.Count(text, "still running: "+h.String()) != 2 {
			t.Errorf("the log of the stop does not name %v, at half of the grace and at the end:\n%s", h, text)
		}
	}
}
