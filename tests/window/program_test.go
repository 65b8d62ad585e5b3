//go:build linux

package window

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/tool"
)

// said is what a program says at its end.
type said struct {
	lab.Counts
	Failed int64 // when the first request failed, in ms since 1970; 0 is never
}

// agent is Node's http.Agent, which is a pool of connections that reuses the last
// used one first.
func agent(env *environment, l load) lab.Load {
	return program(env, l, "node", "nodejs", env.link.Client.Start, "testdata/agent.js", poolSize)
}

// threads are clients of Python's http.client, in one process.
func threads(env *environment, l load) lab.Load {
	return program(env, l, "python3", "python3", (*exec.Cmd).Start, "testdata/client.py", 200)
}

// program is a load that a script makes. Its arguments are the server's host and
// port, and the number of clients. It says "under way" when all of its clients have an answer, and is
// told to end by the end of its input; then it prints what it has counted, in JSON.
func program(env *environment, l load, interpreter, pkg string, start func(*exec.Cmd) error, script string, clients int) lab.Load {
	work := func(ctx context.Context, site lab.Site) (c said, err error) {
		path, err := tool.FindIn(ctx, interpreter, pkg, env.say)
		if err != nil {
			return c, err
		}
		host, port, err := net.SplitHostPort(site.Addr)
		if err != nil {
			return c, err
		}
		cmd := exec.Command(path, script, host, port, strconv.Itoa(clients))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		cmd.WaitDelay = time.Second
		in, err := cmd.StdinPipe()
		if err != nil {
			return c, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return c, err
		}
		if err := start(cmd); err != nil {
			return c, err
		}
		joined := make(chan struct{})
		defer func() { <-joined }()
		ended := make(chan struct{})
		defer close(ended)
		go func() {
			defer close(joined)
			select {
			case <-ctx.Done():
			case <-ended:
			}
			in.Close()
			select {
			case <-time.After(2 * patience):
				cmd.Process.Kill()
			case <-ended:
			}
		}()
		var last []byte
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "under way" {
				site.UnderWay()
			}
			last = bytes.Clone(lines.Bytes())
		}
		if err := cmd.Wait(); err != nil {
			return c, fmt.Errorf("%s: %w\n%s", script, err, stderr.Bytes())
		}
		if err := json.Unmarshal(last, &c); err != nil {
			return c, fmt.Errorf("%s said %q: %w\n%s", script, last, err, stderr.Bytes())
		}
		if c.Failed > 0 && c.Failed < env.stopped.UnixMilli() {
			return c, fmt.Errorf("%s: requests failed %d ms before the stop: %v", script, env.stopped.UnixMilli()-c.Failed, c.Losses)
		}
		return c, nil
	}
	return lab.Load{Name: l.name, Work: func(ctx context.Context, site lab.Site) (lab.Counts, error) {
		c, err := work(ctx, site)
		return c.Counts, err
	}}
}
