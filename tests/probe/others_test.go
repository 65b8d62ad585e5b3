//go:build linux

package probe

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/probe"
	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/internal/tool"
)

// find returns the path of a program, and installs it if need be and possible.
func find(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := tool.FindIn(t.Context(), name, pkg, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// length is the size of a file that a server counts into.
func length(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return len(text)
}

// node stops a server on Node's http, whose handlers take 20 ms.
func node(t *testing.T, how string, o probe.Options) *probe.Result {
	t.Helper()
	onlyFull(t)
	account := filepath.Join(t.TempDir(), "account")
	r := mustRun(t, probe.Subject{
		Title:   "node server.js " + how,
		Command: []string{find(t, "node", "nodejs"), "testdata/server.js", "0", "20", account, how},
	}, o)
	fits(t, r, length(t, account))
	return r
}

func TestNodeWithoutAHandler(t *testing.T) {
	r := node(t, "", options())
	if r.UnderWayLost == 0 {
		t.Error("none of the requests under way was lost, and Node ended at once")
	}
	wantDiagnoses(t, r, []string{probe.Unhandled}, probe.Kept, probe.First)
}

// TestNodeWithServerClose: it closes the connections that are idle at that moment, and
// waits for the others, whose clients nobody tells to leave.
func TestNodeWithServerClose(t *testing.T) {
	o := options()
	o.Grace = 4 * time.Second
	r := node(t, "close", o)
	wantDiagnoses(t, r, []string{probe.Lingering}, probe.Kept, probe.First)
}

// TestNodeThatSaysClose: with `Connection: close` they leave, and it ends.
func TestNodeThatSaysClose(t *testing.T) {
	o := options()
	o.Rounds = 3
	r := node(t, "leave", o)
	if r.Exits["exit code 0"] != 3 || 2*r.UnderWayLost > r.UnderWay {
		t.Errorf("it ended so: %v, and %d of %d requests under way were lost", r.Exits, r.UnderWayLost, r.UnderWay)
	}
	wantDiagnoses(t, r, nil, probe.Kept, probe.First)
}

// TestPython: SIGTERM ends the interpreter.
func TestPython(t *testing.T) {
	onlyFull(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	o := options()
	o.Profile.Connections, o.Profile.Rate = 20, 200 // its listen backlog is 5
	r := mustRun(t, probe.Subject{Title: "python3 -m http.server", Command: []string{
		"sh", "-c", `exec "$0" -m http.server 0 --bind 127.0.0.1 --directory "$1" 2>>"$2"`, find(t, "python3", "python3"), dir, log,
	}}, o)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	// It says "GET / HTTP/1.1" 200 when it begins with the answer.
	fits(t, r, bytes.Count(text, []byte(`"GET / HTTP/1.1" 200`)))
	// It writes the head and the body apart, and may end between the two.
	wantDiagnoses(t, r, []string{probe.Unhandled}, probe.Kept, probe.First, probe.CutShort)
}

const nginxConfig = `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events {}
http {
	log_format short '$status $request_completion';
	access_log %[1]s/access.log short;
	client_body_temp_path %[1]s/client_body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	keepalive_requests 1000000;
	server {
		listen %[2]s;
		root %[1]s;
		location = /slow { limit_rate 64k; }
	}
}
`

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := process.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// nginx stops nginx with the signal, with downloads of some seconds under way.
func nginx(t *testing.T, sig syscall.Signal) *probe.Result {
	t.Helper()
	program := find(t, "nginx", "nginx")
	dir, err := os.MkdirTemp("", "probe-nginx") // its workers may be another user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	addr := freeAddr(t)
	for name, text := range map[string]string{
		"nginx.conf": fmt.Sprintf(nginxConfig, dir, addr),
		"index.html": "hello",
		"slow":       strings.Repeat("slow", 32<<10),
	} {
		if err := errors.Join(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644), os.Chmod(dir, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	o := options()
	o.Signal, o.SlowPath = sig, "/slow"
	o.Profile.Kinds = append(o.Profile.Kinds, probe.Slow)
	r := mustRun(t, probe.Subject{
		URL:     "http://" + addr + "/",
		Command: []string{program, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log")},
	}, o)
	log, err := os.ReadFile(filepath.Join(dir, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	complete := bytes.Count(log, []byte("200 OK\n"))
	// What it has written completely may get lost on its way when the process ends.
	if least := r.Answered + r.Checks; complete < least || complete > least+r.Lost+r.Unfinished {
		t.Errorf("nginx completed %d; %d were answered, %d lost, and %d sent for the check", complete, r.Answered, r.Lost, r.Checks)
	}
	return r
}

// TestNginxQuit: a graceful stop waits for the downloads. It closes their connections
// afterwards, which have not been told, and idle ones: a request may cross that.
func TestNginxQuit(t *testing.T) {
	onlyFull(t)
	r := nginx(t, syscall.SIGQUIT)
	if r.Ways[probe.Cut] != 0 {
		t.Errorf("%d responses cut", r.Ways[probe.Cut])
	}
	wantDiagnoses(t, r, nil, probe.Kept, probe.First)
}

// TestNginxTerm: a fast one cuts them.
func TestNginxTerm(t *testing.T) {
	onlyFull(t)
	r := nginx(t, syscall.SIGTERM)
	if r.Ways[probe.Cut] == 0 {
		t.Error("no response was cut")
	}
	wantDiagnoses(t, r, []string{probe.CutShort}, probe.Kept, probe.First, probe.UnderWay, probe.AtOnce)
}

// TestBusyPort: who listens already would be loaded in the place of the service.
func TestBusyPort(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	s, _ := fakeServer(t, steady)
	s.URL = other.URL
	_, err := run(t, s, options())
	if want := "listens on " + other.Listener.Addr().String() + " already"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %q", err, want)
	}
}
