// Package debugpage looks at the page of drainhandler in a browser, during a
// drain that a handler holds.
//
//	go test -C tests ./observe/debugpage -args -screenshot $PWD/docs/debug-drain.png
//
// also makes the picture in the docs; the path is from the root of the
// repository.
package debugpage

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainhandler"

	"github.com/fastdrain/fastdrain/metrics"
)

var screenshot = flag.String("screenshot", "", "write a picture of the page to this `file`")

// bound is how long anything here may take before it counts as hung.
const bound = time.Minute

// browser is Chromium by one of its names, or the test is skipped.
func browser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if *screenshot != "" {
		t.Fatal("no Chromium: apt-get install chromium")
	}
	t.Skip("no Chromium (Debian: apt-get install chromium): the page is tested without a browser in server/drainhandler")
	return ""
}

// look runs the browser on a page. The sandbox needs rights that a container
// does not have, and the page is our own.
func look(t *testing.T, path, url string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--hide-scrollbars",
		"--user-data-dir=" + t.TempDir(),
	}, append(args, url)...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", path, err, stderr.String())
	}
	return out
}

func TestTheBrowserShowsTheConnectionThatHoldsTheStop(t *testing.T) {
	chromium := browser(t)
	stuck, parked := make(chan struct{}), make(chan struct{}, 10)
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) == "/stuck" {
			parked <- struct{}{}
			<-stuck
		}
	}}
	draining := make(chan struct{})
	srv.Drain.OnPhase = func(p fasthttp.DrainPhase) {
		if p == fasthttp.PhaseDraining {
			close(draining)
		}
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	reg := prometheus.NewRegistry()
	watch, err := metrics.Listen("127.0.0.1:0", reg, map[string]fasthttp.RequestHandler{"/debug/drain": drainhandler.New(srv)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*bound)
	defer cancel()
	defer func() { _ = watch.Shutdown(ctx) }()

	// Some that wait, and one whose handler is stuck.
	for range 25 {
		request(t, ln.Addr(), "/")
	}
	holds := request(t, ln.Addr(), "/stuck")
	<-parked
	begun := time.Now()
	done := make(chan error, 1)
	go func() { done <- srv.ShutdownWithContext(ctx) }()
	<-draining
	// Long enough for the others to be closed, so that one is left.
	for srv.ConnStats().Open != 1 {
		if time.Since(begun) > bound {
			t.Fatalf("the connections are %+v", srv.ConnStats())
		}
		time.Sleep(10 * time.Millisecond)
	}

	url := "http://" + watch.Addr().String() + "/debug/drain"
	dom := string(look(t, chromium, url, "--dump-dom"))
	for _, want := range []string{holds.LocalAddr().String(), "not seen the stop", "What the drain waits for"} {
		if !strings.Contains(dom, want) {
			t.Errorf("the page in the browser does not say %q:\n%s", want, dom)
		}
	}
	if *screenshot != "" {
		shoot(t, chromium, url)
	}

	close(stuck)
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// request sends a request on a connection of its own, and reads the response
// but from a handler that is stuck.
func request(t *testing.T, addr net.Addr, path string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp4", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", path)
	if path == "/stuck" {
		return c
	}
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	// A client that closes when the server does.
	go func() {
		if _, err := r.ReadByte(); errors.Is(err, io.EOF) {
			c.Close()
		}
	}()
	return c
}

// shoot makes the picture, beside its place first.
func shoot(t *testing.T, chromium, url string) {
	t.Helper()
	const limit = 150_000
	file := *screenshot
	if !filepath.IsAbs(file) {
		file = filepath.Join("..", "..", file)
	}
	tmp := filepath.Join(t.TempDir(), "page.png")
	look(t, chromium, url, "--window-size=560,960", "--screenshot="+tmp)
	data, err := os.ReadFile(tmp)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > limit {
		t.Fatalf("the picture has %d bytes, %d are too many", len(data), limit)
	}
	if err := os.WriteFile(file+".tmp", data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes", file, len(data))
}
