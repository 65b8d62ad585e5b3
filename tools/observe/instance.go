package observe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/internal/project"
)

// BuildExample builds examples/observed into a directory and returns the binary.
func BuildExample(ctx context.Context, dir string) (string, error) {
	p, err := project.Find(".")
	if err != nil {
		return "", err
	}
	binary, err := filepath.Abs(filepath.Join(dir, "observed"))
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./observed")
	cmd.Dir = filepath.Join(p.Root, "examples")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the example: %w\n%s", err, out)
	}
	return binary, nil
}

// Instance is a process of examples/observed. Its addresses stay the same over
// restarts.
type Instance struct {
	// Addr is where it serves, Metrics where it is scraped.
	Addr, Metrics string

	binary string
	args   []string
	log    io.Writer
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // of cmd.Wait, once exited is closed
}

// NewInstance starts the example on free ports of loopback and returns when it
// listens. Its log goes to log. The caller calls Stop.
func NewInstance(ctx context.Context, binary string, log io.Writer, args ...string) (*Instance, error) {
	in := &Instance{binary: binary, args: args, log: log}
	for _, addr := range []*string{&in.Addr, &in.Metrics} {
		var err error
		if *addr, err = freeAddr(); err != nil {
			return nil, err
		}
	}
	return in, in.Start(ctx)
}

// Start starts it again after Stop. More arguments override those it has.
func (in *Instance) Start(ctx context.Context, more ...string) error {
	args := append([]string{"-addr", in.Addr, "-admin", in.Metrics}, in.args...)
	in.cmd = exec.Command(in.binary, append(args, more...)...)
	in.cmd.Stderr = in.log
	in.cmd.SysProcAttr = ownGroup()
	out, err := in.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := in.cmd.Start(); err != nil {
		return fmt.Errorf("starting the example: %w", err)
	}
	in.exited = make(chan struct{})
	listening := make(chan struct{})
	go func() {
		defer close(in.exited)
		for s := bufio.NewScanner(out); s.Scan(); {
			// The last line that it prints before it serves.
			if strings.HasPrefix(s.Text(), "metrics on") {
				close(listening)
			}
		}
		in.err = in.cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	select {
	case <-listening:
		return nil
	case <-in.exited:
		return fmt.Errorf("the example ended before it listened: %v", in.err)
	case <-ctx.Done():
		in.cmd.Process.Kill()
		<-in.exited
		return fmt.Errorf("waiting for the example to listen: %w", ctx.Err())
	}
}

// Stop sends SIGTERM, waits for the end, and kills what takes longer than limit.
// The error says how it ended: the example exits with 1 when its drain was not
// graceful.
func (in *Instance) Stop(limit time.Duration) error {
	in.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-in.exited:
		return in.err
	case <-time.After(limit):
		in.cmd.Process.Kill()
		<-in.exited
		return errors.New("killed: it did not end in " + limit.String())
	}
}

// StopAll stops instances, all at the same time, and returns what is wrong with
// the ends of some.
func StopAll(instances []*Instance, limit time.Duration) error {
	errs := make([]error, len(instances))
	var all sync.WaitGroup
	for i, in := range instances {
		all.Go(func() {
			if err := in.Stop(limit); err != nil {
				errs[i] = fmt.Errorf("%s: %w", in.Metrics, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
