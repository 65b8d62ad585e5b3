package compat

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	ports "github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/tests/compat/client"
)

// How a service is started and stopped.
type kind int

const (
	alone     kind = iota // a process that the test starts and signals
	addressed             // the same, on an address that the test chooses
	group                 // it has children, and all of them are signalled
	activated             // it is given a listening socket, and is replaced
	otherUser             // the same, as another user than the socket's owner
	otherPID              // the same, in another PID namespace
	upgraded              // it replaces itself
)

// situation is a row of the table: a stand, and what clients do while it is stopped.
type situation struct {
	name    string // unique, of letters that a test's name may have
	stand   string
	what    string // for a reader
	kind    kind
	tls     bool
	context time.Duration // of the stop; 10 s if zero
	clients []client.Script
	queued  []client.Script // connect while the process is stopped
	first   string          // what each connection begins with
	fenced  bool            // one more client is answered before the stop
	// endsFirst says that the processes may end by themselves before their Shutdown
	// has returned.
	endsFirst bool
}

// result is what one stop came to.
type result struct {
	outcomes []client.Outcome
	executed map[string]bool
	returned bool          // Shutdown has
	err      string        // what it said
	took     time.Duration // and how long it took
	exit     string        // how the process ended
	others   string        // "" if all else serves afterwards
	account  string        // "" if it adds up
	slow     bool          // the machine has disturbed it
	stderr   string
}

// slowness is how late a client may be with a step until a run says nothing.
const slowness = 150 * time.Millisecond

// run stops a service of the situation once.
func (s situation) run(t *testing.T, variant string) (r result) {
	t.Helper()
	bin := build(t, "service", variant)
	within := s.context
	if within == 0 {
		within = 10 * time.Second
	}
	args := []string{"-stand", s.stand, "-context", within.String()}
	if s.tls {
		args = append(args, "-tls")
	}
	held, args := s.hold(t, args)
	if held != nil {
		defer held.Close()
	}
	before := options(t, held)
	p := start(t, bin, args, s.setup(t, held))
	defer p.kill()
	addr, ok := s.address(p, held)
	if !ok {
		t.Fatalf("%s of %s does not listen: %s\n%s", s.name, variant, p.wait(), p.stderr)
	}

	stopped := make(chan struct{})
	scene := client.Scene{Addr: addr, Patience: hang / 2, After: hang / 2, Stopped: stopped, Runs: p.runs}
	clients := begin(scene, s.clients)
	clients.awaitReady(t)
	if s.fenced {
		scene.Run(s.fence("fence"), func() {})
	}
	var late *crowd
	if len(s.queued) > 0 {
		if !p.pause() {
			t.Fatalf("%s of %s: SIGSTOP has not stopped the process: %s\n%s", s.name, variant, p.wait(), p.stderr)
		}
		late = begin(scene, s.queued)
		late.awaitReady(t)
	}
	signalled := time.Now()
	s.signal(p)
	_, begun := p.await("stopping", hang)
	r.slow = time.Since(signalled) > 4*slowness || !begun
	close(stopped)
	r.outcomes = clients.outcomes()
	if late != nil {
		r.outcomes = append(r.outcomes, late.outcomes()...)
	}
	if ev, ok := p.await("returned", hang); ok {
		r.returned, r.err, r.took = true, ev.Error, ev.Took
	}
	r.others = s.probe(t, p, bin, args, held, scene)
	if after := options(t, held); r.others == "" && after != before {
		r.others = fmt.Sprintf("the socket has %s, before it had %s", after, before)
	}
	r.exit = p.wait()
	for _, a := range p.all("account") {
		if !a.OK {
			r.account = a.Text
		}
	}
	r.executed = p.ran()
	for _, o := range r.outcomes {
		r.slow = r.slow || o.Lag > slowness
	}
	r.stderr = p.stderr.String()
	return r
}

// hold makes what the test holds for the service: a listening socket, or a port.
func (s situation) hold(t *testing.T, args []string) (*net.TCPListener, []string) {
	t.Helper()
	if s.kind == alone || s.kind == upgraded {
		return nil, args
	}
	if s.kind == addressed || s.kind == group {
		addr, err := ports.FreeAddr()
		if err != nil {
			t.Fatal(err)
		}
		return nil, append(args, "-addr", addr)
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln.(*net.TCPListener), args //nolint:forcetypeassert // as made
}

func (s situation) setup(t *testing.T, held *net.TCPListener) func(*exec.Cmd) {
	t.Helper()
	if held == nil {
		return nil
	}
	f, err := held.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return func(cmd *exec.Cmd) {
		cmd.ExtraFiles = []*os.File{f}
		cmd.Env = append(os.Environ(), "LISTEN_FDS=1")
		switch s.kind { //nolint:exhaustive // the others change nothing
		case otherUser:
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		case otherPID:
			cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
		}
	}
}

// address is where the service serves, once it does.
func (s situation) address(p *process, held *net.TCPListener) (addr string, ok bool) {
	if s.kind != addressed && s.kind != group {
		ev, ok := p.await("listening", hang)
		if held != nil {
			ev.Addr = held.Addr().String()
		}
		return ev.Addr, ok
	}
	ev, ok := p.await("addressed", hang)
	for over := time.Now().Add(hang); ok && time.Now().Before(over); {
		if c, err := net.Dial("tcp4", ev.Addr); err == nil {
			_ = c.Close()
			return ev.Addr, true
		}
		time.Sleep(20 * time.Millisecond) // nothing tells it
	}
	return "", false
}

// signal begins the stop.
func (s situation) signal(p *process) {
	pid := p.cmd.Process.Pid
	if s.kind == group {
		pid = -pid
	}
	_ = syscall.Kill(pid, syscall.SIGTERM)
	_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGCONT)
}

// fence is a client that is answered: by then those that connected before it have
// been accepted.
func (s situation) fence(id string) client.Script {
	return client.Script{State: "fence", First: s.first, TLS: s.tls, Steps: []client.Step{
		send("/fast", id), answers(1), {Op: client.Leave},
	}}
}

// probe looks whether all that is not the server's own serves afterwards.
func (s situation) probe(t *testing.T, p *process, bin string, args []string, held *net.TCPListener, scene client.Scene) string {
	t.Helper()
	switch s.kind { //nolint:exhaustive // the others have nothing else
	case activated, otherUser, otherPID:
		next := start(t, bin, args, s.setup(t, held))
		defer next.wait()
		if _, ok := next.await("listening", hang); !ok {
			return "the next worker does not listen"
		}
		defer func() { _ = next.cmd.Process.Signal(syscall.SIGTERM) }()
		return s.ask(scene)
	case upgraded:
		if ev, ok := p.await("successor", hang); !ok || ev.Addr == "" {
			return "there is no successor"
		}
		return s.ask(scene)
	}
	for _, other := range p.all("other") {
		if other.Text == "echo" {
			if err := echoes(other.Addr); err != nil {
				return "the other protocol: " + err.Error()
			}
			continue
		}
		scene.Addr = other.Addr
		if bad := s.ask(scene); bad != "" {
			return bad
		}
	}
	return ""
}

// ask has some more clients, one after the other.
func (s situation) ask(scene client.Scene) string {
	scene.Patience, scene.After = 5*time.Second, 5*time.Second
	for range 8 {
		if o := scene.Run(s.fence("probe"), func() {}); !o.Answered("probe") {
			return strings.TrimSpace("a client afterwards: " + o.End + " " + o.Error)
		}
	}
	return ""
}

func echoes(addr string) error {
	c, err := net.DialTimeout("tcp4", addr, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, "hello, echo\n"); err != nil {
		return err
	}
	_, err = bufio.NewReader(c).ReadString('\n')
	return err
}
