//go:build linux

package proxies

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
)

const (
	curls    = 20
	requests = 600 // of one curl, on one connection as long as it lasts
)

// TestCurlThroughARestart lets curl post on connections that it reuses. curl
// repeats what it sent on a connection that turns out to be dead, POSTs too, and
// says so: with the patched server it must never have to.
func TestCurlThroughARestart(t *testing.T) {
	program := find(t, "curl")
	for _, v := range variants {
		t.Run(v, func(t *testing.T) {
			path := build(t, v)
			var died, failed, restarts int
			for tries := 0; tries < mostRestarts && (restarts == 0 || v == lab.Upstream && died+failed == 0); tries++ {
				d, f, met := curlThroughARestart(t, program, path)
				died += d
				failed += f
				if met {
					restarts++
				}
			}
			if restarts == 0 {
				t.Fatalf("in %d tries the curls were done before the stop was over: the machine is too busy", mostRestarts)
			}
			t.Logf("%d curls: %d dead connections, %d failed requests in %d restarts", curls, died, failed, restarts)
			if v == lab.Upstream && died+failed == 0 {
				t.Error("upstream lost nothing: there was no control")
			}
			if v == lab.Patched && died+failed > 0 {
				t.Errorf("%d requests met a dead connection, %d failed", died, failed)
			}
		})
	}
}

// deadConnection is what curl says, with -v, before it repeats a request on a new
// connection. A reused connection that it finds closed before it sends anything
// has another message.
var deadConnection = regexp.MustCompile(`Connection died, retrying a fresh connect`)

// curlThroughARestart says how many connections died under curl, how many requests
// failed, and whether the stop met the load to its end.
func curlThroughARestart(t *testing.T, program, path string) (died, failed int, met bool) {
	t.Helper()
	server := start(t, path)
	var mu sync.Mutex
	var joined sync.WaitGroup
	underWay := make(chan struct{})
	answered := 0
	for id := range curls {
		url := fmt.Sprintf("http://%s/?name=c%dr[1-%d]&sleep=2ms", server.addr(), id, requests)
		cmd := exec.CommandContext(t.Context(), program, "-svN", "--max-time", fmt.Sprint(bound.Seconds()),
			"-d", string(body), "-o", "/dev/null", "-w", "%{http_code}\n", url)
		var verbose bytes.Buffer
		cmd.Stderr = &verbose
		cmd.WaitDelay = time.Second
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		joined.Go(func() {
			ok := 0
			for in := bufio.NewScanner(out); in.Scan(); {
				mu.Lock()
				if in.Text() == "200" {
					ok++
				}
				if answered++; answered == curls*requests/10 {
					close(underWay)
				}
				mu.Unlock()
			}
			_, _ = io.Copy(io.Discard, out)
			err := cmd.Wait()
			mu.Lock()
			defer mu.Unlock()
			died += len(deadConnection.FindAll(verbose.Bytes(), -1))
			failed += requests - ok
			if err != nil && ok == requests {
				t.Errorf("curl: %v\n%s", err, tail(verbose.Bytes()))
			}
		})
	}
	server.takeOver(func() { <-underWay })
	mu.Lock()
	met = answered < curls*requests
	mu.Unlock()
	joined.Wait()
	server.stop()
	return died, failed, met
}
