package callgrind

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program is what is measured.
type Program struct {
	// Valgrind is the path of valgrind, Binary that of the program, which has to
	// be linked at a fixed address (Go's default on Linux).
	Valgrind, Binary string
	// Args are the arguments for a run of n requests.
	Args func(n int) []string
}

// run runs the program for n requests and returns how often each of the binary's
// instructions was executed.
func (p Program) run(ctx context.Context, n int) (*profile, error) {
	dir, err := os.MkdirTemp("", "callgrind")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "out")
	args := append([]string{
		"--tool=callgrind", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no",
		"--callgrind-out-file=" + file, p.Binary,
	}, p.Args(n)...)
	cmd := exec.CommandContext(ctx, p.Valgrind, args...)
	// One processor and no preemption, so that goroutines take turns in the same
	// way every time; no garbage collection, which comes when it likes. The processor
	// that valgrind shows has RDTSCP, and it cannot execute that where the real one has not.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1,cpu.rdtscp=off")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("valgrind %s %s: %w\n%s", p.Binary, strings.Join(p.Args(n), " "), err, bytes.TrimSpace(out))
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	prof, err := parse(f, p.Binary)
	if err != nil {
		return nil, fmt.Errorf("valgrind's profile of %s: %w", p.Binary, err)
	}
	return prof, nil
}

// Count is what one request takes.
type Count struct {
	// Instructions executed.
	Instructions float64
	// Atomics are the executed LOCK-prefixed and XCHG instructions. Negative if
	// the architecture is none where they can be counted.
	Atomics float64
	// Sites are these instructions in the code that requests run.
	Sites []Site
}

// PerRequest measures what a request takes by runs of short and of long requests.
func (p Program) PerRequest(ctx context.Context, short, long int) (*Count, error) {
	a, err := p.run(ctx, short)
	if err != nil {
		return nil, err
	}
	b, err := p.run(ctx, long)
	if err != nil {
		return nil, err
	}
	n := float64(long - short)
	c := &Count{Instructions: float64(b.total-a.total) / n}
	executions := map[uint64]float64{}
	for at, count := range b.at {
		// What a run does now and then, such as a timer, is not on the path.
		if more := (float64(count) - float64(a.at[at])) / n; more >= onPath {
			executions[at] = more
		}
	}
	c.Sites, err = sites(p.Binary, executions)
	if err == errArch {
		c.Atomics = -1
		return c, nil
	}
	for _, s := range c.Sites {
		c.Atomics += s.PerRequest
	}
	return c, err
}

// onPath is the least number of executions a request for an instruction to be
// taken for one of the request path.
const onPath = 0.001
