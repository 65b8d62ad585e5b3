package compat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hang bounds whatever waits for a process.
const hang = 30 * time.Second

// event is a line that a service writes.
type event struct {
	Event, ID, Addr, Error, Text string
	Took                         time.Duration
	OK                           bool
}

// process is a service, with its children: they have a process group of their own.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr *lockedBuffer
	ended  chan struct{} // closed when all that could write has ended

	mu       sync.Mutex
	events   []event
	waiting  map[string]chan struct{}
	running  map[string]chan struct{}
	executed map[string]bool
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start starts a service. more changes the command before.
func start(t *testing.T, path string, args []string, more func(*exec.Cmd)) *process {
	t.Helper()
	p := &process{
		cmd: exec.Command(path, args...), stderr: new(lockedBuffer), ended: make(chan struct{}),
		waiting: map[string]chan struct{}{}, running: map[string]chan struct{}{}, executed: map[string]bool{},
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if more != nil {
		more(p.cmd)
	}
	// Pipes of our own: Wait would close that of StdoutPipe under the children.
	out, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stdin, p.cmd.Stderr, p.stdin = outW, in, errW, inW
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{outW, in, errW} {
		_ = f.Close()
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		defer errR.Close()
		_, _ = io.Copy(p.stderr, errR)
	}()
	go func() {
		defer close(p.ended)
		defer out.Close()
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.read(lines.Bytes())
		}
		<-copied
	}()
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *process) read(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		return // a framework's own
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
	switch e.Event {
	case "running":
		signalOnce(channelOf(p.running, e.ID))
	case "executed":
		p.executed[e.ID] = true
	default:
		signalOnce(channelOf(p.waiting, e.Event))
	}
}

func channelOf(m map[string]chan struct{}, key string) chan struct{} {
	c, ok := m[key]
	if !ok {
		c = make(chan struct{})
		m[key] = c
	}
	return c
}

func signalOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// on returns a channel that is closed when an event has come.
func (p *process) on(name string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return channelOf(p.waiting, name)
}

// runs returns a channel that is closed when the handler of a request runs.
func (p *process) runs(id string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return channelOf(p.running, id)
}

// await waits for an event, or the process's end, and says whether it has come.
func (p *process) await(name string, bound time.Duration) (event, bool) {
	c := p.on(name)
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-c:
	case <-p.ended:
	case <-timer.C:
	}
	all := p.all(name)
	if len(all) == 0 {
		return event{}, false
	}
	return all[0], true
}

// all returns the events of a name.
func (p *process) all(name string) (found []event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if e.Event == name {
			found = append(found, e)
		}
	}
	return found
}

func (p *process) ran() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := map[string]bool{}
	for id := range p.executed {
		m[id] = true
	}
	return m
}

// pause stops the process as SIGSTOP does, and says whether the kernel has done so.
func (p *process) pause() bool {
	_ = p.cmd.Process.Signal(syscall.SIGSTOP)
	for range 1000 {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WUNTRACED|syscall.WNOHANG, nil)
		if err != nil || pid == p.cmd.Process.Pid {
			return err == nil && status.Stopped()
		}
		time.Sleep(time.Millisecond) // nothing tells it
	}
	return false
}

// wait waits for the end of the process and of its children, and says how the
// process ended.
func (p *process) wait() string {
	_ = p.stdin.Close()
	timer := time.NewTimer(hang)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		_ = p.cmd.Wait()
		return "did not end"
	}
	_ = p.cmd.Wait()
	if text := p.stderr.String(); strings.Contains(text, "panic:") || strings.Contains(text, "DATA RACE") {
		return "panic"
	}
	return p.cmd.ProcessState.String()
}

// kill ends what is left of the group.
func (p *process) kill() {
	_ = p.stdin.Close()
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Wait()
}
