package proxy

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"text/template"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/internal/tool"
)

// The programs, which are the names of their Debian packages, too.
const (
	Nginx   = "nginx"
	HAProxy = "haproxy"
)

// bound is for what takes a second or two at most.
const bound = 45 * time.Second

// Setup is what a configuration can differ in.
type Setup struct {
	Program string
	Servers []string // their addresses
	TLS     bool     // to the servers
	Retries bool     // as the proxy's documentation has them; or none
	Listen  string   // an address to listen on beside the socket; empty is none

	Workers   int    // of nginx, each with a pool of its own; 0 is one for each processor
	Keepalive int    // connections of a worker's pool, of nginx
	Reuse     string // http-reuse, of HAProxy

	// Start starts the process; nil is [exec.Cmd.Start]. It is for a proxy in
	// another network namespace.
	Start func(*exec.Cmd) error
	// Say is told what takes its time: the installation of the program.
	Say func(format string, args ...any)
}

// Proxy is a proxy that runs.
type Proxy struct {
	Socket string // that it listens on

	name   string
	dir    string
	run    *process.Running
	stderr bytes.Buffer
}

//go:embed *.tmpl
var templates embed.FS

// config writes the configuration into the proxy's directory and returns the
// arguments that go with it.
func (p *Proxy) config(s Setup) (args []string, err error) {
	name := map[string]string{Nginx: "nginx.conf", HAProxy: "haproxy.cfg"}[s.Program]
	t, err := template.ParseFS(templates, name+".tmpl")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, struct {
		Setup
		Dir, Socket string
	}{s, p.dir, p.Socket}); err != nil {
		return nil, err
	}
	path := filepath.Join(p.dir, name)
	if s.Program == Nginx {
		args = []string{"-p", p.dir, "-c", path, "-e", p.log()}
	} else {
		args = []string{"-db", "-f", path}
	}
	return args, os.WriteFile(path, text.Bytes(), 0o644)
}

// log is the file that nginx writes its errors to.
func (p *Proxy) log() string { return filepath.Join(p.dir, "error.log") }

// Start starts a proxy and waits until it listens. It installs the program if need
// be and possible. Call Stop in any case.
func Start(ctx context.Context, s Setup) (*Proxy, error) {
	program, err := tool.Find(ctx, s.Program, s.Say)
	if err != nil {
		return nil, err
	}
	// Not a test's TempDir, whose name may be too long for a socket.
	dir, err := os.MkdirTemp("", s.Program)
	if err != nil {
		return nil, err
	}
	p := &Proxy{Socket: filepath.Join(dir, "socket"), name: s.Program, dir: dir}
	args, err := p.config(s)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = &p.stderr
	cmd.WaitDelay = time.Second
	if s.Start == nil {
		// It does not outlive this process; no goroutine here ends the thread that
		// started it, which is what Pdeathsig is about (prctl(2)).
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	}
	if p.run, err = process.Run(cmd, s.Start); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if err := p.awaitListening(); err != nil {
		said := p.Said()
		p.Stop()
		return nil, fmt.Errorf("%w\n%s", err, said)
	}
	return p, nil
}

// awaitListening waits until the proxy listens, which it does not say.
func (p *Proxy) awaitListening() error {
	for deadline := time.Now().Add(bound); ; {
		conn, err := net.Dial("unix", p.Socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.run.Exited():
			return fmt.Errorf("%s ended at its start", p.name)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not listen: %w", p.name, err)
		}
	}
}

// Said returns the end of what the proxy has written to its logs. Before Stop; what
// it writes to standard error is known when it has ended.
func (p *Proxy) Said() string {
	log, err := os.ReadFile(p.log())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		log = []byte(err.Error())
	}
	select {
	case <-p.run.Exited():
		log = append(p.stderr.Bytes(), log...)
	default:
	}
	return string(log[max(0, len(log)-2000):])
}

// Stop ends the proxy and removes its files.
func (p *Proxy) Stop() {
	_, _ = p.run.Stop(bound) // it may have ended
	os.RemoveAll(p.dir)
}
