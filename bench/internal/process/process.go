// Package process runs the servers of bench as processes and gives them commands.
package process

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/fastdrain/fastdrain/bench/internal/serving"
)

// bound is how long a server may take to start, and to answer a command other
// than stop.
const bound = 30 * time.Second

// Server is a running server.
type Server struct {
	// Addr is the address that it listens on.
	Addr string

	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan string // of its output, closed at its end
	stderr *tail
	ended  sync.Once
	err    error
}

// Start starts a server and waits until it listens. The process is killed when
// ctx ends. Call End in any case.
func Start(ctx context.Context, path string, args ...string) (*Server, error) {
	s := &Server{cmd: exec.CommandContext(ctx, path, args...), lines: make(chan string, 16), stderr: &tail{}}
	s.cmd.Stderr = s.stderr
	var err error
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	go func() {
		defer close(s.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			s.lines <- in.Text()
		}
	}()
	line, err := s.line(bound)
	addr, ok := strings.CutPrefix(line, "listening on ")
	if err == nil && !ok {
		err = fmt.Errorf("its first line is %q", line)
	}
	if err != nil {
		s.kill()
		return nil, fmt.Errorf("%s does not say where it listens: %w", path, err)
	}
	s.Addr = addr
	return s, nil
}

// Process is the server's.
func (s *Server) Process() *os.Process { return s.cmd.Process }

// Memory asks what the process uses.
func (s *Server) Memory() (serving.Memory, error) {
	var m serving.Memory
	err := s.ask("memory", bound, &m)
	return m, err
}

// Stop shuts the server down and waits for its end. An error of the shutdown is
// an error of Stop.
func (s *Server) Stop(within time.Duration) (serving.Stop, error) {
	var st serving.Stop
	if err := s.ask("stop", within, &st); err != nil {
		s.kill()
		return st, err
	}
	if st.Error != "" {
		s.kill()
		return st, errors.New("the shutdown: " + st.Error)
	}
	return st, s.End()
}

// End ends the process if it still runs.
func (s *Server) End() error {
	s.ended.Do(func() {
		s.stdin.Close()
		timer := time.AfterFunc(bound, func() { s.cmd.Process.Kill() })
		defer timer.Stop()
		for range s.lines {
		}
		s.err = s.cmd.Wait()
	})
	if s.err != nil {
		return fmt.Errorf("%s: %w\n%s", s.cmd.Path, s.err, s.stderr)
	}
	return nil
}

// CPU asks for the processor time of the process so far, in seconds.
func (s *Server) CPU() (float64, error) {
	var seconds float64
	err := s.ask("cpu", bound, &seconds)
	return seconds, err
}

func (s *Server) kill() {
	s.cmd.Process.Kill()
	_ = s.End()
}

func (s *Server) ask(command string, within time.Duration, answer any) error {
	if _, err := io.WriteString(s.stdin, command+"\n"); err != nil {
		return fmt.Errorf("the command %s: %w\n%s", command, err, s.stderr)
	}
	line, err := s.line(within)
	if err != nil {
		return fmt.Errorf("the command %s: %w", command, err)
	}
	return json.Unmarshal([]byte(line), answer)
}

func (s *Server) line(within time.Duration) (string, error) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case line, ok := <-s.lines:
		if !ok {
			return "", fmt.Errorf("the server ended\n%s", s.stderr)
		}
		return line, nil
	case <-timer.C:
		return "", fmt.Errorf("no answer within %v\n%s", within, s.stderr)
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if most := 4 << 10; len(t.buf) > most {
		t.buf = append([]byte(nil), t.buf[len(t.buf)-most:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
