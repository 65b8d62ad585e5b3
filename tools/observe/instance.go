package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
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

	binary  string
	args    []string
	log     io.Writer
	process *process.Process
}

// NewInstance starts the example on free ports of loopback and returns when it
// listens. Its log goes to log. The caller calls Stop.
func NewInstance(ctx context.Context, binary string, log io.Writer, args ...string) (*Instance, error) {
	in := &Instance{binary: binary, args: args, log: log}
	for _, addr := range []*string{&in.Addr, &in.Metrics} {
		var err error
		if *addr, err = process.FreeAddr(); err != nil {
			return nil, err
		}
	}
	return in, in.Start(ctx)
}

// Start starts it again after Stop. More arguments override those it has.
func (in *Instance) Start(ctx context.Context, more ...string) error {
	p, err := process.Start(context.WithoutCancel(ctx), process.Command{ // it outlives ctx
		Path: in.binary,
		Args: slices.Concat([]string{"-admin", in.Metrics}, in.args, more),
		Addr: in.Addr,
		Start: func(cmd *exec.Cmd) error {
			cmd.Stderr = in.log
			return cmd.Start()
		},
	})
	if err != nil {
		return err
	}
	in.process = p
	return nil
}

// Stop sends SIGTERM, waits for the end, and kills what takes longer than limit.
// The error says how it ended: the example exits with 1 when its drain was not
// graceful.
func (in *Instance) Stop(limit time.Duration) error {
	_, _ = in.process.Stop(limit) // it may have ended
	switch how := in.process.Exit(); how {
	case process.ExitClean:
		return nil
	case process.ExitKilled:
		return errors.New("killed: it did not end in " + limit.String())
	default:
		return errors.New("it ended with " + how)
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
