//go:build linux

package proxies

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/fastdrain/fastdrain/internal/tool"
)

// proxy is a kind of proxy.
type proxy struct {
	name   string // of the program and of its Debian package
	config string // in testdata
	args   func(config, dir string) []string
}

var proxies = []proxy{
	{"nginx", "nginx.conf", func(config, dir string) []string {
		return []string{"-p", dir, "-c", config, "-e", filepath.Join(dir, "error.log")}
	}},
	{"haproxy", "haproxy.cfg", func(config, _ string) []string {
		return []string{"-db", "-f", config}
	}},
}

// setup is what a configuration can differ in.
type setup struct {
	Servers []string // addresses
	TLS     bool     // to the servers
	Retries bool     // as the proxy's documentation has them; or none

	Dir, Socket string // filled in by start
}

// find returns the path of a program, and installs it if need be and possible.
func find(t *testing.T, name string) string {
	t.Helper()
	path, err := tool.Find(t.Context(), name, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// start starts a proxy and returns the Unix socket that it listens on: no other
// process can have it, as it could have a port.
func (p proxy) start(t *testing.T, s setup) (socket string) {
	t.Helper()
	program := find(t, p.name)
	// Not t.TempDir, whose name may be too long for a socket.
	dir, err := os.MkdirTemp("", p.name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s.Dir, s.Socket = dir, filepath.Join(dir, "socket")
	config := filepath.Join(dir, p.config)
	var text bytes.Buffer
	if err := template.Must(template.ParseFiles("testdata/"+p.config+".tmpl")).Execute(&text, s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command(program, p.args(config, dir)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second
	// A group of its own: a proxy that has to be killed takes its workers along. It
	// does not outlive this process; no goroutine here ends the thread that started
	// it, which is what Pdeathsig is about (prctl(2)).
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(bound):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
		if t.Failed() {
			log, err := os.ReadFile(filepath.Join(dir, "error.log"))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Log(err)
			}
			t.Logf("%s said:\n%s%s", p.name, tail(stderr.Bytes()), tail(log))
		}
	})
	for deadline := time.Now().Add(bound); ; {
		conn, err := net.Dial("unix", s.Socket)
		if err == nil {
			conn.Close()
			return s.Socket
		}
		select {
		case <-ended:
			t.Fatalf("%s ended at its start:\n%s", p.name, stderr.Bytes())
		case <-time.After(5 * time.Millisecond): // it does not say when it listens
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen: %v", p.name, err)
		}
	}
}

// tail is the end of an output.
func tail(text []byte) []byte {
	return text[max(0, len(text)-2000):]
}
